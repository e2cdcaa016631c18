import { describe, expect, test } from 'vitest';
import {
  assistantItem,
  errorOfTurn,
  openCascadeBench,
  playTurn,
  turnOf,
  userItem,
  type CascadeBench,
} from '../../../test/doubles/cascade-turns.ts';
import { faultOf, growingStep, stepOf } from '../../../test/doubles/scripted-agent-server.ts';
import { GatewayError } from '../../model/errors.ts';
import { createMemoryStore } from '../../store/memory/memory-store.ts';

const history = [userItem('Hi', 'previous_response_id'), assistantItem('You said: Hi', 'previous_response_id')];
const first = turnOf('r1', null, { own: [userItem('Hi')] });
const second = turnOf('r2', 'r1', { history, own: [userItem('Bye')] });

async function headsOf({ sessions }: CascadeBench, owner = 'alice'): Promise<readonly (readonly [string, string])[]> {
  return (await sessions.listSessions(owner)).map(({ upstreamId, headResponseId }) => [upstreamId, headResponseId] as const);
}

describe('a conversation', () => {
  test('goes on in its cascade, and is told only what is new', async () => {
    const bench = openCascadeBench();
    await playTurn(bench.backend, first);
    expect(await bench.sessions.listSessions('alice')).toEqual([
      {
        ...{ backend: 'agent', upstreamId: 'cascade_1', owner: 'alice', headResponseId: 'r1', conversation: 'talk' },
        ...{ createdAt: 1_000, lastUsedAt: 1_000 },
      },
    ]);
    bench.clock.advance(5_000);
    const { texts, losses } = await playTurn(bench.backend, second);
    expect(texts).toEqual(['You said: Bye']);
    expect(losses).toEqual([]);
    expect(bench.server.messages.map(({ cascadeId, text }) => [cascadeId, text])).toEqual([
      ['cascade_1', 'Hi'],
      ['cascade_1', 'Bye'],
    ]);
    expect(bench.server.cascades.get('cascade_1')?.watchedFrom).toBe(2);
    expect(await bench.sessions.listSessions('alice')).toMatchObject([
      { headResponseId: 'r2', createdAt: 1_000, lastUsedAt: 1_005 },
    ]);
  });

  test('that branches gets a cascade of its own, in which nothing of the sibling was said', async () => {
    const bench = openCascadeBench();
    await playTurn(bench.backend, first);
    await playTurn(bench.backend, second);
    const sibling = await playTurn(bench.backend, turnOf('r3', 'r1', { history, own: [userItem('Again')] }));
    expect(sibling.losses).toMatchObject([{ path: 'previous_response_id', action: 'emulated' }]);
    expect(bench.server.messages[2]).toMatchObject({ cascadeId: 'cascade_2' });
    expect(bench.server.messages[2]?.text).not.toContain('Bye');
    expect(await headsOf(bench)).toEqual(
      expect.arrayContaining([
        ['cascade_1', 'r2'],
        ['cascade_2', 'r3'],
      ]),
    );
  });

  test('of somebody else is out of reach', async () => {
    const bench = openCascadeBench();
    await playTurn(bench.backend, first);
    const stranger = { ...second, session: { ...second.session!, owner: 'mallory' } };
    await playTurn(bench.backend, stranger);
    expect(bench.server.messages[1]?.cascadeId).toBe('cascade_2');
  });

  test('that brings words the cascade never heard begins anew', async () => {
    const bench = openCascadeBench();
    await playTurn(bench.backend, first);
    const own = [userItem('Aside'), assistantItem('Yes'), userItem('Bye')];
    await playTurn(bench.backend, turnOf('r2', 'r1', { history, own }));
    expect(bench.server.messages[1]?.cascadeId).toBe('cascade_2');
    expect(bench.server.messages[1]?.text).toContain('[user]\nAside\n\n[assistant]\nYes');
  });

  test('is not a session while its turn runs: what is cut by a crash is not gone on with', async () => {
    const bench = openCascadeBench();
    await playTurn(bench.backend, first);
    bench.server.answer = () => [{ status: 'RUNNING', steps: [] }];
    const gone = new AbortController();
    const cut = playTurn(bench.backend, second, {
      signal: gone.signal,
      onBatch: () => setImmediate(() => gone.abort(new Error('gone'))),
    });
    expect((await cut).thrown).toEqual(new Error('gone'));
    expect(await headsOf(bench)).toEqual([]);
    expect(bench.server.callsIn('cascade_1')).toContain('cancelRun');
  });

  test('whose turn failed is told again in a new cascade', async () => {
    const bench = openCascadeBench();
    await playTurn(bench.backend, first);
    const answer = bench.server.answer;
    bench.server.answer = () => [{ status: 'IDLE', steps: [stepOf('ERROR_MESSAGE', 'DONE')] }, { passes: 1_000 }];
    expect(errorOfTurn(await playTurn(bench.backend, second)).status).toBe(502);
    bench.server.answer = answer;
    await playTurn(bench.backend, second);
    expect(bench.server.messages[2]).toMatchObject({ cascadeId: 'cascade_2' });
  });
});

describe('a cascade that cannot be gone on with', () => {
  const late = [{ type: 'loss', loss: expect.objectContaining({ path: 'previous_response_id', action: 'emulated' }) as unknown }];

  test('because the server forgot it: a new one, the loss in the first batch', async () => {
    const bench = openCascadeBench();
    await playTurn(bench.backend, first);
    bench.server.cascades.clear();
    const { losses, batches, texts } = await playTurn(bench.backend, second);
    expect(losses).toEqual([]);
    expect(batches[0]).toEqual(late);
    expect(texts[0]).toContain('[assistant]\nYou said: Hi');
    expect(await headsOf(bench)).toEqual([['cascade_2', 'r2']]);
  });

  test('because it forgot it only at the send', async () => {
    const bench = openCascadeBench();
    await playTurn(bench.backend, first);
    bench.server.faults.set('sendMessage', [faultOf('gone', 'trajectory not found')]);
    const { batches } = await playTurn(bench.backend, second);
    expect(batches[0]).toEqual(late);
    expect(bench.server.callsIn('cascade_1')).not.toContain('cancelRun');
  });

  test('because it stays busy', async () => {
    const bench = openCascadeBench();
    await playTurn(bench.backend, first);
    bench.server.faults.set('sendMessage', [faultOf('busy', 'executor is busy')]);
    const { batches, thrown } = await playTurn(bench.backend, second);
    expect(thrown).toBeNull();
    expect(batches[0]).toEqual(late);
  });

  test('because another turn is at work in it: one goes on, one branches, and neither waits', async () => {
    const bench = openCascadeBench();
    await playTurn(bench.backend, first);
    const turns = await Promise.all([
      playTurn(bench.backend, second),
      playTurn(bench.backend, turnOf('r3', 'r1', { history, own: [userItem('Again')] })),
    ]);
    expect(turns.map(({ thrown }) => thrown)).toEqual([null, null]);
    expect(new Set(bench.server.messages.slice(1).map(({ cascadeId }) => cascadeId)).size).toBe(2);
    expect(new Set((await headsOf(bench)).map(([, head]) => head))).toEqual(new Set(['r2', 'r3']));
  });

  test('because another turn went on in it after this one was prepared', async () => {
    const bench = openCascadeBench();
    await playTurn(bench.backend, first);
    const prepared = await bench.backend.prepareTurn(turnOf('r3', 'r1', { history, own: [userItem('Again')] }));
    await playTurn(bench.backend, second);
    const batches: unknown[] = [];
    for await (const batch of prepared.stream(new AbortController().signal)) batches.push(batch);
    expect(batches[0]).toEqual(late);
    expect(bench.server.messages[2]?.cascadeId).toBe('cascade_2');
  });
});

describe('a new cascade that the server has forgotten before it took the message', () => {
  test('is begun again, once', async () => {
    const bench = openCascadeBench();
    bench.server.faults.set('sendMessage', [faultOf('gone', 'trajectory not found')]);
    expect(await playTurn(bench.backend, first)).toMatchObject({ thrown: null, texts: ['You said: Hi'] });
    expect(await headsOf(bench)).toEqual([['cascade_2', 'r1']]);
  });

  test('is not begun for ever', async () => {
    const bench = openCascadeBench();
    bench.server.faults.set(
      'sendMessage',
      Array.from({ length: 5 }, () => faultOf('gone', 'trajectory not found')),
    );
    expect(errorOfTurn(await playTurn(bench.backend, first)).message).toContain('not found');
    expect(bench.server.starts).toHaveLength(2);
  });
});

test('a turn that is asked again within its response leaves only the cascade of its last answer', async () => {
  const bench = openCascadeBench();
  await playTurn(bench.backend, first);
  await playTurn(bench.backend, first);
  expect(await headsOf(bench)).toEqual([['cascade_2', 'r1']]);
  expect(bench.server.callsIn('cascade_1')).toContain('archiveCascade');
});

test('a turn that no other can follow hides its cascade', async () => {
  const bench = openCascadeBench();
  await playTurn(bench.backend, { ...first, session: null });
  expect(bench.server.callsIn('cascade_1')).toContain('archiveCascade');
  expect(await headsOf(bench)).toEqual([]);
});

test('an answer is not lost because its session cannot be stored', async () => {
  const sessions = createMemoryStore();
  const failing = new Proxy(sessions, {
    get: (target, key) =>
      key === 'saveSession'
        ? () => Promise.reject(new GatewayError('storage_full', 'full'))
        : (Reflect.get(target, key) as unknown),
  });
  const { backend } = openCascadeBench({ sessions: failing });
  const { events } = await playTurn(backend, first);
  expect(events.at(-2)).toMatchObject({ type: 'loss', loss: { path: 'conversation' } });
  expect(events.at(-1)).toEqual({ type: 'finish', reason: 'stop' });
});

describe('ending a session', () => {
  test('deletes the cascade, and the session with it', async () => {
    const bench = openCascadeBench();
    await playTurn(bench.backend, first);
    await bench.backend.endSession?.('cascade_1');
    expect(bench.server.cascades.size).toBe(0);
    expect(await headsOf(bench)).toEqual([]);
  });

  test('that the server has forgotten works too; one that cannot be asked keeps it', async () => {
    const bench = openCascadeBench();
    await playTurn(bench.backend, first);
    bench.server.faults.set('removeCascade', [new GatewayError('upstream_unreachable', 'no')]);
    await expect(bench.backend.endSession?.('cascade_1')).rejects.toMatchObject({ code: 'upstream_unreachable' });
    expect(await headsOf(bench)).toEqual([['cascade_1', 'r1']]);
    bench.server.cascades.clear();
    await bench.backend.endSession?.('cascade_1');
    expect(await headsOf(bench)).toEqual([]);
  });
});

test('closing waits for runs that are being cancelled, then closes the server', async () => {
  const bench = openCascadeBench();
  bench.server.answer = () => [{ status: 'RUNNING', steps: [growingStep('x')] }];
  const gone = new AbortController();
  await playTurn(bench.backend, first, { signal: gone.signal, onBatch: () => gone.abort(new Error('gone')) });
  await bench.backend.close();
  expect(bench.server.calls.slice(-3).map(({ method }) => method)).toEqual(['cancelRun', 'archiveCascade', 'close']);
});
