import { describe, expect, test } from 'vitest';
import { counterId } from '../../../test/counter-id.ts';
import { GatewayError } from '../../model/errors.ts';
import type { ModelEvent } from '../../model/model-event.ts';
import { createToolNames } from '../tool-names.ts';
import { fromGeminiChunks } from './from-gemini-chunks.ts';
import { geminiToolNameRule } from './to-gemini-tools.ts';

const toolNames = createToolNames(['get weather'], geminiToolNameRule);

function openStage() {
  return fromGeminiChunks({
    newId: counterId(),
    model: 'gemini-x',
    toolNames,
    mapError: () => new GatewayError('rate_limit_exceeded', 'slow down'),
  });
}

function play(...chunks: readonly unknown[]): ModelEvent[] {
  const stage = openStage();
  return [...chunks.flatMap((chunk) => stage.push(chunk)), ...stage.end()];
}

function chunk(parts: readonly unknown[], rest: object = {}): unknown {
  return { candidates: [{ content: { role: 'model', parts }, ...rest }] };
}

const stop = chunk([], { finishReason: 'STOP' });

/** `text:Hi call:f {"a":1}` … for short comparisons. */
function brief(events: readonly ModelEvent[]): string[] {
  return events.flatMap((event) => {
    switch (event.type) {
      case 'text-delta':
      case 'reasoning-delta':
      case 'call-delta':
        return [`${event.type}:${event.delta}`];
      case 'call-start':
        return [`call-start:${event.name}`];
      case 'web-search':
        return [`web-search:${event.queries.join()}|${event.sources.join()}`];
      case 'annotation':
        return [`annotation:${event.annotation.startIndex}-${event.annotation.endIndex}`];
      case 'finish':
        return [`finish:${event.reason}`];
      case 'failure':
        return [`failure:${event.error.code}`];
      case 'loss':
        return [`loss:${event.loss.reason}`];
      case 'reasoning-state':
        return [`state:${JSON.stringify(event.state.data)}`];
      default:
        return [event.type];
    }
  });
}

describe('calls whose arguments arrive in pieces', () => {
  const open = { functionCall: { name: 'f', willContinue: true } };
  const piece = (jsonPath: string, value: object) => ({
    functionCall: { partialArgs: [{ jsonPath, ...value }], willContinue: true },
  });
  const end = { functionCall: {} };
  const argumentsOf = (...parts: readonly unknown[]) =>
    brief(play(chunk([open]), ...parts.map((part) => chunk([part])), stop)).filter((line) => !line.startsWith('call-start'));

  test.each([
    [
      'a string in three pieces',
      [
        piece('$.a', { stringValue: 'x', willContinue: true }),
        piece('$.a', { stringValue: 'y', willContinue: true }),
        piece('$.a', { stringValue: '' }),
        end,
      ],
      '{"a":"xy"}',
    ],
    [
      'every kind of value',
      [piece('$.n', { numberValue: 1.5 }), piece('$.b', { boolValue: false }), piece('$.z', { nullValue: 'NULL_VALUE' }), end],
      '{"n":1.5,"b":false,"z":null}',
    ],
    [
      'nested places',
      [piece('$.a.b[0].c', { stringValue: 'x' }), piece("$.a['d e'][1]", { numberValue: 2 }), end],
      '{"a":{"b":[{"c":"x"}],"d e":[null,2]}}',
    ],
    ['a member called __proto__', [piece('$.__proto__.x', { numberValue: 1 }), end], '{"__proto__":{"x":1}}'],
    ['no end mark before the finish', [piece('$.a', { numberValue: 1 })], '{"a":1}'],
    ['no pieces at all', [end], '{}'],
    ['a value set again', [piece('$.a', { stringValue: 'x' }), piece('$.a', { stringValue: 'y' }), end], '{"a":"y"}'],
  ])('%s', (_, parts, expected) => {
    expect(argumentsOf(...parts)).toEqual([`call-delta:${expected}`, 'call-end', 'finish:stop']);
    expect({}).not.toHaveProperty('x');
  });

  test.each([
    ['a string that is still open', [piece('$.a', { stringValue: 'x', willContinue: true })]],
    ['a path that is none', [piece('a.b', { stringValue: 'x' }), end]],
    ['an index that only fills memory', [piece('$.a[4000000000]', { stringValue: 'x' }), end]],
    ['a member of a string', [piece('$.a', { stringValue: 'x' }), piece('$.a.b', { stringValue: 'x' }), end]],
    ['pieces that are no list', [{ functionCall: { partialArgs: 'x' } }]],
  ])('%s never looks like a whole call', (_, parts) => {
    expect(argumentsOf(...parts).at(-1)).toBe('failure:upstream_invalid_response');
    expect(argumentsOf(...parts)).not.toContain('call-end');
  });

  test('a limit cuts the call: no end', () => {
    const events = play(
      chunk([open]),
      chunk([piece('$.a', { stringValue: 'x', willContinue: true })]),
      chunk([], { finishReason: 'MAX_TOKENS' }),
    );
    expect(brief(events)).toEqual(['call-start:f', 'finish:length']);
  });

  test('the next call ends the one before it', () => {
    const events = play(chunk([open]), chunk([piece('$.a', { numberValue: 1 })]), chunk([{ functionCall: { name: 'g' } }]), stop);
    expect(brief(events)).toEqual(['call-start:f', 'call-delta:{"a":1}', 'call-end', 'call-start:g', 'call-end', 'finish:stop']);
  });
});

describe('whole calls', () => {
  test("Gemini's id is used where it can serve; all ids of a step are in one state before its first call", () => {
    const call = (id: string, rest: object = {}) => ({ functionCall: { name: 'f', id, args: {} }, ...rest });
    const events = play(chunk([call('a', { thoughtSignature: 'S' }), call('b'), call('a'), call('no good\n')]), stop);
    expect(events.flatMap((event) => (event.type === 'call-start' ? event.callId : []))).toEqual(['a', 'b', 'call_1', 'call_2']);
    expect(events.filter((event) => event.type === 'reasoning-state').map((event) => event.state.data)).toEqual([
      {
        textLength: 0,
        entries: [
          { on: 'call', callId: 'a', signature: 'S', geminiId: 'a' },
          { on: 'call', callId: 'b', geminiId: 'b' },
          { on: 'call', callId: 'call_1', geminiId: 'a' },
          { on: 'call', callId: 'call_2', geminiId: 'no good\n' },
        ],
      },
    ]);
  });

  test("a tool gets its client's name back", () => {
    expect(brief(play(chunk([{ functionCall: { name: toolNames.toAlias('get weather') } }]), stop))[0]).toBe(
      'call-start:get weather',
    );
  });

  test('arguments without a call, or a call that names nothing, fail', () => {
    expect(brief(play(chunk([{ functionCall: { args: { a: 1 } } }]), stop))).toEqual(['failure:upstream_invalid_response']);
    expect(brief(play(chunk([{ functionCall: {} }]), stop))).toEqual(['finish:stop']);
  });
});

describe('text and what belongs to it', () => {
  test('signed pieces of a message are noted by position, behind the message', () => {
    const events = play(
      chunk([{ text: 'one ', thoughtSignature: 'A' }]),
      chunk([{ text: 'two' }]),
      chunk([{ text: '', thoughtSignature: 'B' }]),
      stop,
    );
    const entries = [
      { on: 'text', start: 0, length: 4, signature: 'A' },
      { on: 'text', start: 7, length: 0, signature: 'B' },
    ];
    expect(brief(events)).toEqual([
      'text-delta:one ',
      'text-delta:two',
      `state:${JSON.stringify({ textLength: 7, entries })}`,
      'finish:stop',
    ]);
  });

  test('a search that is shown as a part stands before the text, with the parts that must come back', () => {
    const search = { toolCall: { toolType: 'GOOGLE_SEARCH_WEB', id: 'x', args: { queries: ['q', ''] } }, thoughtSignature: 'A' };
    const found = { toolResponse: { toolType: 'GOOGLE_SEARCH_WEB', id: 'x', response: {} }, thoughtSignature: 'B' };
    const grounding = {
      groundingChunks: [{ web: { uri: 'https://a/', title: 'A' } }],
      groundingSupports: [{ segment: { endIndex: 2 }, groundingChunkIndices: [0] }],
    };
    const events = play(chunk([search, found]), chunk([{ text: 'Hi' }], { groundingMetadata: grounding, finishReason: 'STOP' }));
    const entries = [
      { on: 'part', start: 0, part: search },
      { on: 'part', start: 0, part: found },
    ];
    expect(brief(events)).toEqual([
      'web-search:q|',
      `state:${JSON.stringify({ textLength: 0, entries })}`,
      'text-delta:Hi',
      'annotation:0-2',
      'finish:stop',
    ]);
  });

  test('bytes become UTF-16 indexes of the message, whatever came before it', () => {
    const before = 'Zuerst: 🏔.';
    const text = 'Zürich 🏔 liegt schön.';
    const bytes = (part: string) => new TextEncoder().encode(part).length;
    const segment = { startIndex: bytes(`${before}Zürich `), endIndex: bytes(`${before}Zürich 🏔`), text: '🏔' };
    const groundingMetadata = {
      groundingChunks: [{ web: { uri: 'https://a/' } }],
      groundingSupports: [{ segment, groundingChunkIndices: [0, 7] }],
    };
    const events = play(
      chunk([{ text: before }]),
      chunk([{ functionCall: { name: 'f' } }]),
      chunk([{ text }], { groundingMetadata }),
      stop,
    );
    expect(brief(events)).toContain('annotation:7-9');
    expect(text.slice(7, 9)).toBe('🏔');
  });

  test('sources of a message that has ended are a loss; sources without a place stand at the end', () => {
    const segment = { startIndex: 0, endIndex: 2, text: 'Hi' };
    const groundingMetadata = {
      groundingChunks: [{ web: { uri: 'https://a/' } }],
      groundingSupports: [{ segment, groundingChunkIndices: [0] }],
    };
    expect(
      brief(play(chunk([{ text: 'Hi' }, { functionCall: { name: 'f' } }]), chunk([{ text: 'ho' }], { groundingMetadata }), stop)),
    ).toContain('loss:sources of an earlier message came after that message had ended');
    const unplaced = { groundingChunks: [{ web: { uri: 'https://a/', title: '' } }], webSearchQueries: ['q'] };
    expect(brief(play(chunk([{ text: 'Hi' }], { groundingMetadata: unplaced }), stop))).toEqual([
      ...['text-delta:Hi', 'annotation:2-2', 'web-search:q|https://a/', 'finish:stop'],
    ]);
  });

  test('log probabilities go with the text of their chunk', () => {
    const logprobsResult = {
      chosenCandidates: [{ token: 'é', logProbability: -0.5 }],
      topCandidates: [{ candidates: [{ token: 'é', logProbability: -0.5 }, { token: 'e' }] }],
    };
    const [first] = play(chunk([{ text: 'é' }], { logprobsResult }), stop);
    expect(first).toEqual({
      type: 'text-delta',
      delta: 'é',
      logprobs: [
        {
          token: 'é',
          logprob: -0.5,
          bytes: [195, 169],
          topLogprobs: [
            { token: 'é', logprob: -0.5, bytes: [195, 169] },
            { token: 'e', logprob: 0, bytes: [101] },
          ],
        },
      ],
    });
  });

  test('parts that no response can show are a loss, once for each kind', () => {
    const parts = [
      { fileData: { fileUri: '1' } },
      { fileData: { fileUri: '2' } },
      { inlineData: { data: '' }, thoughtSignature: 'A' },
      {},
    ];
    expect(brief(play(chunk(parts), stop))).toEqual([
      "loss:the model's fileData part cannot be shown in a response",
      "loss:the model's inlineData part cannot be shown in a response",
      'finish:stop',
    ]);
  });

  test('code that Gemini ran goes back together with its result, also where only one of them is signed', () => {
    const code = { executableCode: { id: 'x', code: 'print(1)' }, thoughtSignature: 'A' };
    const result = { codeExecutionResult: { id: 'x', outcome: 'OUTCOME_OK', output: '1' } };
    const states = play(chunk([code, result, { text: 'One' }]), stop).filter(({ type }) => type === 'reasoning-state');
    expect(states).toMatchObject([{ state: { data: { textLength: 0, entries: [{ part: code }, { part: result }] } } }]);
  });
});
