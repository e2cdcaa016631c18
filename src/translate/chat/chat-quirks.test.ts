import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { counterId } from '../../../test/counter-id.ts';
import type { ModelEvent } from '../../model/model-event.ts';
import { createToolNames } from '../tool-names.ts';
import { createChatProfile, type ChatVendor } from './chat-profile.ts';
import { fromChatChunks, type FromChatOptions } from './from-chat-chunks.ts';

function eventsOf(chunks: readonly unknown[], vendor: ChatVendor = 'generic', more: Partial<FromChatOptions> = {}): ModelEvent[] {
  const profile = createChatProfile({ baseUrl: 'https://example.com/v1', vendor });
  const toolNames = createToolNames(['get', 'set', 'weather', 'get.weather'], profile.toolNameRule);
  const stage = fromChatChunks({ newId: counterId(), model: 'm', profile, toolNames, cleanMessage: (text) => text, ...more });
  return [...chunks.flatMap((chunk) => stage.push(chunk)), ...stage.end()];
}

const delta = (members: object, reason: string | null = null): unknown => ({
  choices: [{ index: 0, delta: members, finish_reason: reason }],
});
const stop = delta({}, 'stop');

/** Calls as `id name arguments`, with `…` behind those that have no end. */
function callsOf(events: readonly ModelEvent[]): string[] {
  const calls = new Map<string, { name: string; text: string; isOver: boolean }>();
  for (const event of events) {
    if (event.type === 'call-start') calls.set(event.callId, { name: event.name, text: '', isOver: false });
    else if (event.type === 'call-delta') calls.get(event.callId)!.text += event.delta;
    else if (event.type === 'call-end') calls.get(event.callId)!.isOver = true;
  }
  return [...calls].map(([id, { name, text, isOver }]) => `${id} ${name} ${text}${isOver ? '' : '…'}`);
}

type Entry = Record<string, unknown>;
const call = (entry: Entry, name?: unknown, args?: unknown): Entry => ({
  ...entry,
  function: { ...(name !== undefined && { name }), ...(args !== undefined && { arguments: args }) },
});

const quirks: readonly (readonly [string, readonly (readonly Entry[])[], readonly string[]])[] = [
  [
    'as OpenAI sends it',
    [[call({ index: 0, id: 'a' }, 'get', '')], [call({ index: 0 }, undefined, '{"x"')], [call({ index: 0 }, undefined, ':1}')]],
    ['a get {"x":1}'],
  ],
  [
    'interleaved indices',
    [
      [call({ index: 0, id: 'a' }, 'get', '{')],
      [call({ index: 1, id: 'b' }, 'set', '{')],
      [call({ index: 0 }, undefined, '}'), call({ index: 1 }, undefined, '}')],
    ],
    ['a get {}', 'b set {}'],
  ],
  [
    'index missing',
    [
      [call({ id: 'a' }, 'get', '{')],
      [call({}, undefined, '}')],
      [call({ id: 'b' }, 'set', '{')],
      [call({ id: 'b' }, undefined, '}')],
    ],
    ['a get {}', 'b set {}'],
  ],
  [
    'index and ids missing, whole calls in one chunk',
    [[call({}, 'get', '{"x":1}'), call({}, 'get', '{"x":2}')]],
    ['call_1 get {"x":1}', 'call_2 get {"x":2}'],
  ],
  [
    'index and ids missing, whole calls in chunks of their own',
    [[call({}, 'get', '{"x":1}')], [call({}, 'get', '{"x":2}')], [call({}, 'set', '{}')]],
    ['call_1 get {"x":1}', 'call_2 get {"x":2}', 'call_3 set {}'],
  ],
  [
    'all index 0 with different ids',
    [
      [call({ index: 0, id: 'a' }, 'get', '{}')],
      [call({ index: 0, id: 'b' }, 'get', '{"x"')],
      [call({ index: 0 }, undefined, ':1}')],
    ],
    ['a get {}', 'b get {"x":1}'],
  ],
  [
    'index null, whole calls (Mistral)',
    [[call({ index: null, id: 'abcdefgh1' }, 'get', '{}'), call({ index: null, id: 'abcdefgh2' }, 'set', '{}')]],
    ['abcdefgh1 get {}', 'abcdefgh2 set {}'],
  ],
  [
    'one id for two indices',
    [
      [call({ index: 0, id: '0' }, 'get', '{}')],
      [call({ index: 1, id: '0' }, 'set', '{')],
      [call({ index: 1, id: '0' }, undefined, '}')],
    ],
    ['0 get {}', 'call_1 set {}'],
  ],
  ['name in a later chunk', [[call({ index: 0, id: 'a' }, '', '{"x"')], [call({ index: 0 }, 'get', ':1}')]], ['a get {"x":1}']],
  [
    'arguments before id and name',
    [[call({ index: 0 }, undefined, '{"x"')], [call({ index: 0, id: 'a' }, 'get')], [call({ index: 0 }, undefined, ':1}')]],
    ['a get {"x":1}'],
  ],
  [
    'name in pieces',
    [[call({ index: 0, id: 'a' }, 'wea', '')], [call({ index: 0 }, 'ther')], [call({ index: 0 }, undefined, '{}')]],
    ['a weather {}'],
  ],
  [
    'name repeated on every chunk',
    [[call({ index: 0, id: 'a' }, 'get', '{"x"')], [call({ index: 0 }, 'get', ':{}')], [call({ index: 0 }, 'get', '}')]],
    ['a get {"x":{}}'],
  ],
  [
    'name "" and null after the first',
    [[call({ index: 0, id: 'a' }, 'get', '{')], [call({ index: 0, id: '' }, '', '')], [call({ index: 0, id: null }, null, '}')]],
    ['a get {}'],
  ],
  ['id repeated', [[call({ index: 0, id: 'a' }, 'get', '{')], [call({ index: 0, id: 'a' }, 'get', '}')]], ['a get {}']],
  [
    'id changed on every delta',
    [
      [call({ index: 0, id: 'a' }, 'get', '{')],
      [call({ index: 0, id: 'b' }, undefined, '"x":1')],
      [call({ index: 0, id: 'c' }, null, '}')],
    ],
    ['a get {"x":1}'],
  ],
  ['id late', [[call({ index: 0 }, 'get')], [call({ index: 0, id: 'a' }, undefined, '{}')]], ['call_1 get {}']],
  ['id missing', [[call({ index: 0, id: '' }, 'get', '{}')]], ['call_1 get {}']],
  ['arguments as an object', [[call({ index: 0, id: 'a' }, 'get', { x: 1 })]], ['a get {"x":1}']],
  [
    'arguments null, or missing',
    [[call({ index: 0, id: 'a' }, 'get', null)], [call({ index: 1, id: 'b' }, 'set')]],
    ['a get ', 'b set '],
  ],
  ['a tool nobody offered', [[call({ index: 0, id: 'a' }, 'unheard', '{}')]], ['a unheard {}']],
  [
    'two tools nobody offered, without arguments',
    [[call({ index: 0, id: 'a' }, 'foo')], [call({ index: 1, id: 'b' }, 'bar')]],
    ['a foo ', 'b bar '],
  ],
  [
    'an alias',
    [[call({ index: 0, id: 'a' }, createToolNames([], { pattern: /^\w+$/, maxLength: 64 }).toAlias('get.weather'), '{}')]],
    ['a get.weather {}'],
  ],
  ['empty entries', [[call({ index: 0, id: 'a' }, 'get', '{}')], [{ index: 0 }, {}, call({}, '', '')]], ['a get {}']],
];

describe('tool-call deltas', () => {
  test.each(quirks)('%s', (_name, entries, expected) => {
    const events = eventsOf([...entries.map((list) => delta({ tool_calls: list })), delta({}, 'tool_calls')]);
    expect(callsOf(events)).toEqual(expected);
    expect(events.at(-1)).toEqual({ type: 'finish', reason: 'stop' });
  });

  test('legacy function_call', () => {
    const chunks = [
      delta({ function_call: { name: 'get', arguments: '' } }),
      delta({ function_call: { arguments: '{}' } }),
      delta({}, 'function_call'),
    ];
    expect(callsOf(eventsOf(chunks))).toEqual(['call_1 get {}']);
  });

  test('a whole body: every entry is a call, whatever its id and index', () => {
    const entries = [call({ id: 'x', index: 0 }, 'get', '{"a":1}'), call({ id: 'x', index: 0 }, 'get', '{"a":2}')];
    expect(
      callsOf(eventsOf([{ choices: [{ message: { content: null, tool_calls: entries }, finish_reason: 'tool_calls' }] }])),
    ).toEqual(['x get {"a":1}', 'call_1 get {"a":2}']);
  });

  test('a call that never gets a name fails the turn', () => {
    const events = eventsOf([delta({ tool_calls: [call({ index: 0, id: 'a' }, undefined, '{}')] }), stop]);
    expect(events).toMatchObject([{ type: 'failure', error: { code: 'upstream_invalid_response' } }]);
  });

  test('length cuts the last call, but not one whose arguments are whole', () => {
    const two = [call({ index: 0, id: 'a' }, 'get', '{}'), call({ index: 1, id: 'b' }, 'set', '{"x":')];
    expect(callsOf(eventsOf([delta({ tool_calls: two }), delta({}, 'length')]))).toEqual(['a get {}', 'b set {"x":…']);
    expect(callsOf(eventsOf([delta({ tool_calls: two.slice(0, 1) }), delta({}, 'length')]))).toEqual(['a get {}']);
    expect(callsOf(eventsOf([delta({ tool_calls: [call({ index: 0, id: 'a' }, 'get', '')] }), delta({}, 'length')]))).toEqual([
      'a get …',
    ]);
  });

  test("Gemini's signature arrives before its call, one that comes later before the next", () => {
    const extra = (signature: string): Entry => ({ extra_content: { google: { thought_signature: signature } } });
    const chunks = [
      delta({ tool_calls: [call({ index: 0, id: 'a', ...extra('s1') }, 'get', '{}'), call({ index: 1, id: 'b' }, 'set', '{}')] }),
      stop,
    ];
    expect(eventsOf(chunks).map((event) => (event.type === 'reasoning-state' ? event.state.data : event.type))).toEqual([
      { calls: { a: { google: { thought_signature: 's1' } } } },
      'call-start',
      'call-delta',
      'call-start',
      'call-delta',
      'call-end',
      'call-end',
      'finish',
    ]);
  });
});

describe('anything a server could send', () => {
  const odd = fc.oneof(fc.jsonValue(), fc.constantFrom(null, '', 0, [], {}, 'x', [null], { text: 'x' }));
  const entry = fc.record(
    {
      index: fc.oneof(fc.nat(2), odd),
      id: fc.oneof(fc.constantFrom('a', 'b', ''), odd),
      function: fc.oneof(
        fc.record({ name: fc.oneof(fc.constantFrom('get', 'set'), odd), arguments: odd }, { requiredKeys: [] }),
        odd,
      ),
      extra_content: odd,
    },
    { requiredKeys: [] },
  );
  const said = fc.record(
    {
      content: odd,
      reasoning: odd,
      reasoning_content: odd,
      reasoning_details: fc.oneof(odd, fc.array(odd)),
      refusal: odd,
      tool_calls: fc.oneof(fc.array(entry), odd),
      function_call: odd,
      annotations: odd,
      images: odd,
      extra_content: odd,
    },
    { requiredKeys: [] },
  );
  const choice = fc.record(
    {
      delta: fc.oneof(said, odd),
      message: fc.oneof(said, odd),
      finish_reason: fc.oneof(fc.constantFrom('stop', 'length', 'error', null), odd),
      logprobs: odd,
      error: odd,
    },
    { requiredKeys: [] },
  );
  const chunk = fc.oneof(
    fc.record(
      {
        choices: fc.oneof(fc.array(fc.oneof(choice, odd), { maxLength: 2 }), odd),
        usage: odd,
        model: odd,
        error: fc.option(odd),
        x_groq: odd,
      },
      { requiredKeys: [] },
    ),
    odd,
  );

  test('never throws, ends at most once and last, and every call event belongs to a started call', () => {
    fc.assert(
      fc.property(
        fc.array(chunk),
        fc.constantFrom<ChatVendor>('generic', 'openrouter', 'mistral', 'deepseek'),
        fc.boolean(),
        (chunks, vendor, wantsLogprobs) => {
          const events = eventsOf(chunks, vendor, { wantsLogprobs, echo: 'x' });
          const endings = events.filter(({ type }) => type === 'finish' || type === 'failure');
          expect(endings).toHaveLength(1);
          expect(events.at(-1)).toBe(endings[0]);
          const starts = events.flatMap((event) => (event.type === 'call-start' ? [event.callId] : []));
          expect(new Set(starts).size).toBe(starts.length);
          expect(() => callsOf(events)).not.toThrow();
        },
      ),
      { numRuns: 500 },
    );
  });

  // A quadratic step would run into the time limit of the test.
  test('a million deltas take linear time', () => {
    const profile = createChatProfile({ baseUrl: 'https://example.com/v1' });
    const stage = fromChatChunks({
      newId: counterId(),
      model: 'm',
      profile,
      toolNames: createToolNames([], profile.toolNameRule),
    });
    const text = delta({ content: 'a' });
    const args = delta({ tool_calls: [call({ index: 0 }, undefined, '{')] });
    stage.push(delta({ tool_calls: [call({ index: 0, id: 'a' }, 'get', '')] }));
    let count = 0;
    for (let round = 0; round < 500_000; round += 1) count += stage.push(text).length + stage.push(args).length;
    expect(count).toBe(1_000_001);
  });
});
