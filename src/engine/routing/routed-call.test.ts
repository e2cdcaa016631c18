import { expect, test } from 'vitest';
import { ScriptedBackend, type Script } from '../../../test/doubles/scripted-backend.ts';
import { GatewayError } from '../../model/errors.ts';
import type { ModelRequest } from '../../model/model-request.ts';
import { toModelRequest } from '../to-model-request.ts';
import { newTestRequest } from '../../../test/doubles/new-test-response.ts';
import { RoutedCall, type AcceptedCall } from './routed-call.ts';
import { createRouter, type Router } from './router.ts';

const ill = new GatewayError('upstream_unreachable', 'no');
const never = new AbortController().signal;
const request: ModelRequest = toModelRequest(newTestRequest(), { model: '', input: [], session: null }).value;

function newRouter(): Router {
  return createRouter({
    ...{ retries: 2, retryBudget: 1, breaker: { failures: 9, windowMs: 1, cooldownMs: 1 }, stickinessMs: null },
    ...{ now: () => 0, random: () => 0, wait: () => Promise.resolve() },
  });
}

class Once extends ScriptedBackend {
  readonly failures = 'not-retried';
}

function callOf(...backends: readonly ScriptedBackend[]): RoutedCall {
  const router = newRouter();
  const steps = backends.map((backend, at) => [{ backend, model: `m${String(at)}`, publicName: `b/m${String(at)}` }]);
  const route = { steps, missing: [] };
  const plan = router.plan(route, { owner: 'local', session: null, previousModel: null });
  return new RoutedCall({ route, plan, request, native: null, losses: [], strict: false, router });
}

async function open(call: RoutedCall): Promise<AcceptedCall> {
  await call.prepare();
  return call.open(never);
}

async function countBatches({ batches }: AcceptedCall): Promise<number> {
  let count = 0;
  for await (const batch of batches) count += batch.length + 1;
  return count;
}

test('a backend that must not be asked twice is not, and the next one answers', async () => {
  const [once, other] = [new Once({ refuses: ill }), new ScriptedBackend({})];
  const call = callOf(once, other);
  const accepted = await open(call);
  expect([accepted.target.publicName, accepted.request.model, once.requests.length]).toEqual(['b/m1', 'm1', 1]);
  expect(call.report.attempts.map(({ outcome }) => outcome)).toEqual([{ status: 502 }, 'accepted']);
});

test('an ordinary one is asked again, translated anew', async () => {
  const backend = new ScriptedBackend({ refuses: ill }, { refuses: ill }, {});
  await open(callOf(backend));
  expect(backend.requests.length).toBe(3);
});

test('preparing translates for the first target only, and sends nothing', async () => {
  const [first, second] = [new ScriptedBackend({ refuses: ill }), new ScriptedBackend({})];
  const call = callOf(first, second);
  await call.prepare();
  expect([first.requests.length, second.requests.length, call.report.attempts, call.firstModel]).toEqual([1, 0, [], 'b/m0']);
});

test.each<[string, Script, number]>([
  ['nothing at all', {}, 1],
  ['events with the acceptance', { accepts: [{ type: 'text-delta', delta: 'a' }] }, 2],
  ['batches', { batches: [[{ type: 'text-delta', delta: 'a' }], [{ type: 'finish', reason: 'stop' }]] }, 5],
])('what is answered arrives whole: %s', async (_name, script, count) => {
  expect(await countBatches(await open(callOf(new ScriptedBackend(script))))).toBe(count);
});

test('leaving the answer half way breaks the call off', async () => {
  let closed = 0;
  class Closing extends ScriptedBackend {
    override prepareTurn(): ReturnType<ScriptedBackend['prepareTurn']> {
      return {
        losses: [],
        async *stream() {
          try {
            yield [];
            yield [];
          } finally {
            closed += 1;
          }
        },
      };
    }
  }
  for await (const batch of (await open(callOf(new Closing()))).batches) {
    expect(batch).toEqual([]);
    break;
  }
  expect(closed).toBe(1);
});

test('trouble of our own is told as it is, and nobody else is asked', async () => {
  const full = new GatewayError('storage_unavailable', 'locked');
  const [first, second] = [new ScriptedBackend({ refuses: full }), new ScriptedBackend({})];
  await expect(open(callOf(first, second))).rejects.toBe(full);
  expect(second.requests.length).toBe(0);
});
