import { randomBytes } from 'node:crypto';
import { createConversationLock } from '../../src/engine/conversation-lock.ts';
import type { EngineDeps, RequestContext } from '../../src/engine/deps.ts';
import { prepareResponse } from '../../src/engine/prepare-response.ts';
import { createReasoningEnvelope } from '../../src/engine/reasoning-envelope.ts';
import { createRouter } from '../../src/engine/routing/router.ts';
import { ResponseRun, type RunSignals } from '../../src/engine/run-response.ts';
import type { Backend } from '../../src/model/backend.ts';
import type { ResolvedModel } from '../../src/model/model-catalog.ts';
import type { ResponseStore } from '../../src/model/response-store.ts';
import type { ResponseEvent } from '../../src/protocol/responses/event.ts';
import type { CreateResponseRequest } from '../../src/protocol/responses/request.ts';
import type { ResponseResource } from '../../src/protocol/responses/response.ts';
import { createMemoryStore } from '../../src/store/memory/memory-store.ts';
import { checkEventLog } from '../check-event-log.ts';
import { newTestRequest } from './new-test-response.ts';

export const local: RequestContext = { owner: 'local', strict: false };

/** An engine around one backend: real ids, a clock that stands at second 1,000, one token for each word. It asks each model once. */
export function newEngine(backend: Backend, store: ResponseStore = createMemoryStore()): EngineDeps {
  const resolve = (name: string | null): ResolvedModel => ({
    backend,
    model: name?.split('/')[1] ?? 'one',
    publicName: name ?? 'scripted/one',
  });
  return {
    router: createRouter({
      ...{ retries: 0, retryBudget: 0, breaker: null, stickinessMs: null },
      ...{ now: () => 1_000_000, random: () => 0.5, wait: () => Promise.reject(new Error('nothing is to be waited for')) },
    }),
    catalog: {
      resolveRoute: (name) => Promise.resolve({ steps: [[resolve(name)]], missing: [] }),
      resolveModel: (name) => Promise.resolve(resolve(name)),
      listModels: () => Promise.resolve([]),
      findBackend: (name) => Promise.resolve(name === backend.name ? backend : undefined),
    },
    store,
    envelope: createReasoningEnvelope({ keys: [new Uint8Array(32).fill(1)], randomBytes }),
    conversationLock: createConversationLock({ patienceMs: 5_000, createTimeout: (ms) => AbortSignal.timeout(ms) }),
    newId: (prefix) => `${prefix}_${randomBytes(12).toString('hex')}`,
    now: () => 1_000_000,
    countTextTokens: (text) => Promise.resolve(text.split(/\s+/).filter((word) => word !== '').length),
  };
}

export interface Ran {
  readonly run: ResponseRun;
  readonly events: ResponseEvent[];
  readonly response: ResponseResource;
}

/** Runs one request to its end; its log, with what `onBatch` adds, must obey the grammar. */
export async function runOnce(
  engine: EngineDeps,
  changes: Partial<CreateResponseRequest> = {},
  settings: {
    context?: RequestContext;
    signals?: Partial<RunSignals>;
    onBatch?: (run: ResponseRun) => readonly ResponseEvent[] | undefined;
  } = {},
): Promise<Ran> {
  const never = new AbortController().signal;
  const signals = { gone: never, deadline: never, ...settings.signals };
  const found = { context: settings.context ?? local, sessionKey: null, losses: [], gone: signals.gone };
  const prepared = await prepareResponse(newTestRequest(changes), found, engine);
  const run = new ResponseRun(prepared, signals, engine);
  const events: ResponseEvent[] = [];
  for await (const batch of run.events) {
    events.push(...batch);
    events.push(...(settings.onBatch?.(run) ?? []));
  }
  const faults = checkEventLog(JSON.parse(JSON.stringify(events)) as unknown[]);
  if (faults.length > 0) throw new Error(faults.join('\n'));
  return { run, events, response: run.response };
}
