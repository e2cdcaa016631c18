import { setTimeout } from 'node:timers/promises';
import { describe, expect, test } from 'vitest';
import { drainTurn, plainRequest, textOf } from '../../../test/backend-suite.ts';
import { checkModelEvents } from '../../../test/check-model-events.ts';
import { counterId } from '../../../test/counter-id.ts';
import { countTextTokens } from '../../lib/count-text-tokens.ts';
import { parseJson } from '../../lib/json.ts';
import type { StatelessBackend } from '../../model/backend.ts';
import type { ModelEvent } from '../../model/model-event.ts';
import type { FunctionTool, ModelRequest, ToolChoice } from '../../model/model-request.ts';
import { createRehearsalBackend } from './create-rehearsal-backend.ts';
import { rehearsalModels } from './rehearsal-models.ts';

const parameters = {
  type: 'object',
  properties: { city: { type: 'string' }, days: { type: 'integer' } },
  required: ['city', 'days'],
};
const weather: FunctionTool = { name: 'get_weather', description: null, parameters, strict: false, path: 'tools[0]' };
const noCut = ['no finish or failure'];

function openBackend(waits: number[] = []): StatelessBackend {
  const wait = async (milliseconds: number, signal: AbortSignal): Promise<void> => {
    waits.push(milliseconds);
    await setTimeout(0, undefined, { signal });
  };
  return createRehearsalBackend({ newId: counterId(), countTextTokens, wait });
}

function ask(model: string, change: Partial<ModelRequest> = {}, text = 'Hello'): Promise<readonly ModelEvent[]> {
  return drainTurn(openBackend().prepareTurn(plainRequest(model, text, { tools: [weather], ...change })));
}

/** What came before the turn was thrown, or before it was aborted because nothing came for many turns of the event loop. */
async function askUntilBroken(model: string): Promise<{ events: ModelEvent[]; thrown: unknown }> {
  const leaving = new AbortController();
  const events: ModelEvent[] = [];
  // Counting without I/O: whatever is going to happen happens in the very next turns of the loop.
  const backend = createRehearsalBackend({
    newId: counterId(),
    countTextTokens: (text) => Promise.resolve(text.length),
    wait: () => Promise.resolve(),
  });
  const turn = backend.prepareTurn(plainRequest(model, 'Hello', { tools: [weather] }));
  let quiet = 0;
  const reading = (async () => {
    for await (const batch of turn.stream(leaving.signal)) {
      events.push(...batch);
      quiet = 0;
    }
  })();
  const outcome = reading.then(
    () => ({ events, thrown: undefined }),
    (thrown: unknown) => ({ events, thrown }),
  );
  while (quiet++ < 20) await new Promise((resolve) => setImmediate(resolve));
  leaving.abort(new Error('gone'));
  return await outcome;
}

const types = (events: readonly ModelEvent[]): string[] => [...new Set(events.map(({ type }) => type))];
const argumentsOf = (events: readonly ModelEvent[]): string =>
  events.map((event) => (event.type === 'call-delta' ? event.delta : '')).join('');

test('every model is listed and described', async () => {
  const listed = await openBackend().listModels(new AbortController().signal);
  expect(listed.map(({ id }) => id).sort()).toEqual(Object.keys(rehearsalModels).sort());
  expect(listed[0]?.id).toBe('default');
  for (const { description } of Object.values(rehearsalModels)) expect(description).toMatch(/^[A-Z].*\.$/);
});

describe('before the call is accepted', () => {
  const refused: [model: string, expected: object][] = [
    ['401', { code: 'upstream_auth_failed', status: 502 }],
    ['429', { code: 'rate_limit_exceeded', status: 429, retryAfter: 1 }],
    ['500', { code: 'upstream_error', status: 502 }],
    ['503', { code: 'upstream_overloaded', status: 503 }],
    ['timeout', { code: 'upstream_timeout', status: 504 }],
  ];
  test.each(refused)('rehearsal/%s', async (model, expected) => {
    const batches = openBackend()
      .prepareTurn(plainRequest(model, 'Hello'))
      .stream(new AbortController().signal)
      [Symbol.asyncIterator]();
    await expect(batches.next()).rejects.toMatchObject(expected);
  });
});

describe('in the middle of an answer', () => {
  test.each(['stall', 'stall-text', 'stall-arguments'])(
    'rehearsal/%s says nothing more until the signal aborts',
    async (model) => {
      const { events, thrown } = await askUntilBroken(model);
      expect(thrown).toMatchObject({ message: 'gone' });
      expect(types(events)).toEqual(
        { stall: [], 'stall-text': ['text-delta'], 'stall-arguments': ['call-start', 'call-delta'] }[model],
      );
      if (model === 'stall-arguments') expect(parseJson(argumentsOf(events))).toBeUndefined();
    },
  );

  test('rehearsal/cut ends without a finish', async () => {
    const events = await ask('cut');
    expect(checkModelEvents(events)).toEqual(noCut);
    expect(textOf(await ask('default')).startsWith(textOf(events))).toBe(true);
    expect(textOf(events)).not.toBe('');
  });

  test('rehearsal/cut-arguments leaves a call open', async () => {
    for (const tool of [weather, { ...weather, parameters: null }]) {
      const events = await ask('cut-arguments', { tools: [tool] });
      expect(checkModelEvents(events)).toEqual(noCut);
      expect(types(events)).toEqual(['call-start', 'call-delta']);
      expect(parseJson(argumentsOf(events))).toBeUndefined();
    }
  });

  test('rehearsal/bad-arguments ends a call whose arguments are not JSON', async () => {
    const events = await ask('bad-arguments');
    expect(checkModelEvents(events)).toEqual([]);
    expect(events.some(({ type }) => type === 'call-end')).toBe(true);
    expect(parseJson(argumentsOf(events))).toBeUndefined();
  });

  test('rehearsal/late-failure reports a failure after some text', async () => {
    const events = await ask('late-failure');
    expect(checkModelEvents(events)).toEqual([]);
    expect(types(events)).toEqual(['text-delta', 'failure']);
  });

  test('rehearsal/throws throws a plain error after some text', async () => {
    const { events, thrown } = await askUntilBroken('throws');
    expect(types(events)).toEqual(['text-delta']);
    expect(thrown).toMatchObject({ name: 'Error', message: 'the rehearsal model throws on purpose' });
  });

  test.each(['length', 'content-filter'])('rehearsal/%s stops for that reason', async (model) => {
    const events = await ask(model);
    expect(checkModelEvents(events)).toEqual([]);
    expect(types(events)).toEqual(['text-delta', 'usage', 'finish']);
    expect(events.at(-1)).toEqual({ type: 'finish', reason: model });
  });
});

describe('in an unusual way', () => {
  test('rehearsal/refusal refuses', async () => {
    expect(types(await ask('refusal'))).toEqual(['refusal-delta', 'usage', 'finish']);
  });

  test('rehearsal/empty says nothing', async () => {
    expect(types(await ask('empty'))).toEqual(['usage', 'finish']);
  });

  test('rehearsal/no-usage does not count', async () => {
    expect(types(await ask('no-usage'))).toEqual(['text-delta', 'finish']);
  });

  test('rehearsal/parallel interleaves its calls, also when parallel calls are off', async () => {
    const events = await ask('parallel', { parallelToolCalls: false });
    expect(checkModelEvents(events)).toEqual([]);
    const ids = events.flatMap((event) => ('callId' in event ? [event.callId] : []));
    expect(new Set(ids).size).toBe(2);
    expect(ids.slice(0, 4)).toEqual([ids[0], ids[1], ids[0], ids[1]]);
  });

  test('rehearsal/long has 2,000 deltas', async () => {
    expect((await ask('long')).filter(({ type }) => type === 'text-delta')).toHaveLength(2_000);
  });

  test('rehearsal/slow waits 50 ms between batches', async () => {
    const waits: number[] = [];
    await drainTurn(openBackend(waits).prepareTurn(plainRequest('slow', 'Hello')));
    expect(waits.length).toBeGreaterThan(3);
    expect(new Set(waits)).toEqual(new Set([50]));
  });

  test('rehearsal/think-late thinks after its answer', async () => {
    expect(types(await ask('think-late'))).toEqual([
      'text-delta',
      'reasoning-delta',
      'reasoning-break',
      'reasoning-state',
      'usage',
      'finish',
    ]);
  });

  test('rehearsal/split-surrogates splits every pair, the whole text is sound', async () => {
    const events = await ask('split-surrogates');
    const deltas = events.flatMap((event) => (event.type === 'text-delta' ? [event.delta] : []));
    expect(deltas.length).toBeGreaterThan(6);
    for (const delta of deltas.slice(0, -1)) expect(delta).toMatch(/[\ud800-\udbff]$/);
    expect(textOf(events)).toBe('Emoji: 😀 and 👩‍🚀 and 🇳🇴 and 🎉. That was it.');
  });

  test('rehearsal/citations searches and cites by UTF-16 index', async () => {
    const hostedTools = [{ type: 'web_search', settings: { type: 'web_search' }, path: 'tools[1]' }];
    const events = await ask('citations', { hostedTools });
    expect(types(events)).toEqual(['web-search', 'text-delta', 'annotation', 'usage', 'finish']);
    const cited = events.flatMap((event) => (event.type === 'annotation' ? [event.annotation] : []));
    expect(cited.map(({ startIndex, endIndex }) => textOf(events).slice(startIndex, endIndex))).toEqual([
      'Ünïcode is easy 😀, says the first page.',
      ' The second page says that nothing is.',
    ]);
    expect(openBackend().prepareTurn(plainRequest('citations', 'Hello', { hostedTools })).losses).toEqual([]);
    expect(openBackend().prepareTurn(plainRequest('default', 'Hello', { hostedTools })).losses).toHaveLength(1);
  });
});

describe('against tool_choice', () => {
  const called = (events: readonly ModelEvent[]): string[] =>
    events.flatMap((event) => (event.type === 'call-start' ? [event.name] : []));
  const disobeyed: [ToolChoice, string[]][] = [
    [{ type: 'none' }, ['get_weather']],
    [{ type: 'required' }, []],
    [{ type: 'allowed', names: ['get_weather'] }, ['uninvited_tool']],
    [{ type: 'required-of', names: ['get_weather'] }, ['uninvited_tool']],
  ];
  test.each(disobeyed)('%j is ignored the first time', async (toolChoice, expected) => {
    const { input } = plainRequest('', 'Hello');
    const content = [{ type: 'text' as const, text: 'Obey.', path: 'input' }];
    const again = [...input, { type: 'message' as const, role: 'system' as const, content, path: 'input' }];
    expect(called(await ask('ignores-tool-choice', { toolChoice }))).toEqual(expected);
    expect(called(await ask('always-ignores-tool-choice', { toolChoice, input: again }))).toEqual(expected);
    const obeyed = toolChoice.type === 'required' || toolChoice.type === 'required-of' ? ['get_weather'] : [];
    expect(called(await ask('ignores-tool-choice', { toolChoice, input: again }))).toEqual(obeyed);
  });

  test('none, also when no tool is offered any more', async () => {
    expect(called(await ask('ignores-tool-choice', { toolChoice: { type: 'none' }, tools: [] }))).toEqual(['uninvited_tool']);
  });
});

test.each(['stall-arguments', 'cut-arguments', 'bad-arguments', 'parallel'])(
  'rehearsal/%s has only text without tools',
  async (model) => {
    const turn = openBackend().prepareTurn(plainRequest(model, 'Hello', { toolChoice: { type: 'none' } }));
    const batches: (readonly ModelEvent[])[] = [];
    for await (const batch of turn.stream(new AbortController().signal)) if (batches.push(batch) === 2) break;
    expect(types(batches.flat())).toEqual(['text-delta']);
  },
);
