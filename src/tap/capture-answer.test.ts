import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { counterId } from '../../test/counter-id.ts';
import { chunk, createTestMarks } from '../../test/doubles/tap-conversation.ts';
import type { ModelEvent } from '../model/model-event.ts';
import { createToolNames } from '../translate/tool-names.ts';
import { geminiToolNameRule } from '../translate/gemini/to-gemini-tools.ts';
import { captureAnswer } from './capture-answer.ts';
import { hashCallId } from './marks.ts';
import type { AnswerStage } from './model-call.ts';

const marks = createTestMarks();
const names = createToolNames(['f', '9-lives'], geminiToolNameRule);
const lives = names.toAlias('9-lives');

interface Heard {
  readonly stage: AnswerStage;
  readonly events: ModelEvent[];
  /** `finish stop 7` (with output tokens), `fail CODE`, `fail! CODE` (for good), `close`. */
  readonly endings: string[];
}

function listen(): Heard {
  const events: ModelEvent[] = [];
  const endings: string[] = [];
  const stage = captureAnswer({
    name: 'tap',
    marks,
    newId: counterId(),
    model: 'gemini-3-flash',
    names,
    ownNames: new Set(['view_file']),
    sink: {
      report: (batch) => void events.push(...batch),
      succeed: (reason, usage) => void endings.push(`finish ${reason} ${String(usage?.outputTokens)}`),
      fail: (error, isFinal) => void endings.push(`fail${isFinal ? '!' : ''} ${error.code}`),
      close: () => void endings.push('close'),
    },
  });
  return { stage, events, endings };
}

/** What the agent server gets of these chunks, and what was heard. */
function play(chunks: readonly unknown[], ending: 'end' | 'break' = 'end') {
  const heard = listen();
  heard.stage.begin(200);
  const passed = chunks.map((value) => heard.stage.push({ value }));
  heard.stage[ending]();
  return { ...heard, passed };
}

const call = (name: string, args: unknown = {}) => ({ functionCall: { name, args } });
const stop = { finishReason: 'STOP' };
const markOf = (callId: string) => ({ text: marks.writeCallMark(callId) });

describe('what goes on to the agent server', () => {
  test('frames without calls of the client keep their bytes', () => {
    const chunks = [
      chunk([{ text: 'hi' }]),
      chunk([call('view_file')]),
      chunk([call('unknown_tool')]),
      undefined,
      { usageMetadata: {} },
      chunk([], stop),
    ];
    expect(play(chunks).passed).toEqual(chunks.map(() => undefined));
  });

  test('each call of the client becomes its mark, without the signature; all else in the chunk stays', () => {
    const signed = { ...call('f'), thoughtSignature: 's' };
    const view = { ...call('view_file'), thoughtSignature: 'own' };
    const usageMetadata = { promptTokenCount: 1 };
    const { passed } = play([
      {
        ...chunk([{ text: 'so' }, signed, view, call(lives)], { finishReason: 'STOP', finishMessage: 'm' }),
        usageMetadata,
        x: 1,
      },
    ]);
    expect(passed).toEqual([
      {
        ...chunk([{ text: 'so' }, markOf('call_1'), view, markOf('call_2')], { finishReason: 'STOP', finishMessage: 'm' }),
        usageMetadata,
        x: 1,
      },
    ]);
  });

  test('the mark names the id that the client gets: Gemini’s own where it can serve', () => {
    const given = { functionCall: { id: 'abc', name: 'f', args: {} } };
    const { passed, events } = play([chunk([given]), chunk([structuredClone(given)]), chunk([], stop)]);
    const ids = events.flatMap((event) => (event.type === 'call-start' ? [event.callId] : []));
    expect(ids).toEqual(['abc', 'call_1']);
    const found = passed.slice(0, 2).flatMap((value) => marks.findMarks(JSON.stringify(value)).map(({ mark }) => mark));
    expect(found).toEqual(ids.map((id) => ({ kind: 'call', call: hashCallId(id) })));
  });

  test('a call in pieces becomes one mark where it begins', () => {
    const piece = (value: string, willContinue: boolean) => ({
      functionCall: { partialArgs: [{ jsonPath: '$.q', stringValue: value, willContinue }], willContinue: true },
    });
    const begin = { functionCall: { name: 'f', willContinue: true }, thoughtSignature: 's' };
    const { passed, events, endings } = play([
      chunk([{ text: 'a' }, begin]),
      chunk([piece('x', true)]),
      chunk([piece('y', false), { functionCall: {} }, { text: 'b' }]),
      chunk([], stop),
    ]);
    expect(passed).toEqual([chunk([{ text: 'a' }, markOf('call_1')]), chunk([{ text: '' }]), chunk([{ text: 'b' }]), undefined]);
    expect(events).toContainEqual({ type: 'call-delta', callId: 'call_1', delta: '{"q":"xy"}' });
    expect(endings).toEqual(['finish stop undefined', 'close']);
  });

  test('pieces of the agent’s own call pass', () => {
    const begin = { functionCall: { name: 'view_file', willContinue: true } };
    const more = { functionCall: { partialArgs: [{ jsonPath: '$.q', stringValue: 'x' }], willContinue: true } };
    const { passed, events, endings } = play([chunk([begin]), chunk([more]), chunk([{ functionCall: {} }], stop)]);
    expect(passed).toEqual([undefined, undefined, undefined]);
    expect(events).toEqual([]);
    expect(endings).toEqual(['finish stop undefined', 'close']);
  });

  test('wrapped answers and whole lists are read where they lie', () => {
    const wrapped = { response: chunk([call('f')], stop), traceId: 't' };
    expect(play([wrapped]).passed).toEqual([{ response: chunk([markOf('call_1')], stop), traceId: 't' }]);
    const list = [chunk([{ text: 'a' }]), chunk([call('f')], stop)];
    expect(play([list]).passed).toEqual([[list[0], chunk([markOf('call_1')], stop)]]);
    expect(play([list.slice(0, 1)]).passed).toEqual([undefined]);
  });

  test('a call of the client in another candidate goes nowhere, one of the agent passes', () => {
    const piece = { functionCall: { partialArgs: [{ jsonPath: '$.q', stringValue: 'x' }], willContinue: true } };
    const view = call('view_file');
    const both = (first: readonly unknown[], second: readonly unknown[]) => {
      const { candidates } = chunk(first) as { candidates: readonly unknown[] };
      return { candidates: [...candidates, { content: { role: 'model', parts: second }, index: 1 }] };
    };
    const { passed, events } = play([
      both([{ text: 'a' }], [{ text: 'b' }, call('f')]),
      both([], [piece]),
      both([call(lives)], [view, piece]),
      both([], [view]),
      chunk([], stop),
    ]);
    expect(passed).toEqual([
      both([{ text: 'a' }], [{ text: 'b' }]),
      both([], [{ text: '' }]),
      both([markOf('call_1')], [view, piece]),
      undefined,
      undefined,
    ]);
    expect(events.flatMap((event) => (event.type === 'call-start' ? [event.name] : []))).toEqual(['9-lives']);
  });

  test('whatever comes, no call of the client gets through and nothing is thrown', () => {
    const part = fc.oneof(
      fc.record({ text: fc.string({ maxLength: 3 }), thought: fc.boolean() }, { requiredKeys: ['text'] }),
      fc.record({
        functionCall: fc.record(
          {
            name: fc.constantFrom('f', lives, 'view_file', 'else', ''),
            args: fc.jsonValue(),
            partialArgs: fc.jsonValue(),
            willContinue: fc.boolean(),
          },
          { requiredKeys: [] },
        ),
      }),
      fc.jsonValue(),
    );
    const value = fc.oneof(
      fc.array(part, { maxLength: 4 }).map((parts) => chunk(parts)),
      fc
        .array(fc.array(part, { maxLength: 2 }), { maxLength: 3 })
        .map((all) => ({ candidates: all.map((parts) => ({ content: { parts } })) })),
      fc.jsonValue(),
      fc.constant({ error: { code: 500 } }),
    );
    fc.assert(
      fc.property(fc.array(value, { maxLength: 6 }), fc.constantFrom<'end' | 'break'>('end', 'break'), (chunks, ending) => {
        const { passed, endings } = play(chunks, ending);
        const sent = JSON.stringify(passed.map((replaced, at) => replaced ?? chunks[at]));
        expect(sent).not.toMatch(new RegExp(`"functionCall":\\{[^{}]*"name":"(f|${lives})"`));
        expect(endings).toHaveLength(2);
        expect(endings[1]).toBe('close');
      }),
    );
  });
});

describe('what the client gets', () => {
  test('text, thinking and its own calls, in order; calls of the agent are not there', () => {
    const { events } = play([
      chunk([{ text: 'hm', thought: true }]),
      chunk([{ text: 'one' }]),
      chunk([call('view_file')]),
      chunk([{ text: 'two' }, { ...call(lives, { n: 1 }), thoughtSignature: 's' }], stop),
    ]);
    expect(events.map((event) => ('delta' in event ? event.delta : event.type))).toEqual([
      'hm',
      'one',
      'two',
      'reasoning-state',
      'call-start',
      '{"n":1}',
      'call-end',
    ]);
    expect(events).toContainEqual({ type: 'call-start', callId: 'call_1', name: '9-lives' });
  });

  test.each([
    [
      'a normal end',
      [chunk([{ text: 'a' }]), { ...chunk([], stop), usageMetadata: { promptTokenCount: 1, candidatesTokenCount: 7 } }],
      'end',
      'finish stop 7',
    ],
    ['only calls of the agent', [chunk([call('view_file')], stop)], 'end', 'finish stop undefined'],
    ['a connection that breaks behind the end', [chunk([{ text: 'a' }], stop)], 'break', 'finish stop undefined'],
    ['a limit', [chunk([{ text: 'a' }], { finishReason: 'MAX_TOKENS' })], 'end', 'finish length undefined'],
    ['a cut', [chunk([{ text: 'a' }])], 'break', 'fail! upstream_truncated'],
    ['a cut before anything', [], 'break', 'fail! upstream_truncated'],
    ['an end that is none', [chunk([{ text: 'a' }])], 'end', 'fail! upstream_truncated'],
    ['an error before anything', [{ error: { code: 503, message: 'busy' } }], 'end', 'fail upstream_overloaded'],
    [
      'an error behind text',
      [chunk([{ text: 'a' }]), { error: { code: 503, message: 'busy' } }],
      'end',
      'fail! upstream_overloaded',
    ],
    ['a spoilt call', [chunk([], { finishReason: 'MALFORMED_FUNCTION_CALL' })], 'end', 'fail upstream_error'],
    [
      'a spoilt call behind a good one',
      [chunk([call('f')], { finishReason: 'MALFORMED_FUNCTION_CALL' })],
      'end',
      'fail! upstream_error',
    ],
  ] as const)('%s', (_, chunks, ending, expected) => {
    expect(play(chunks, ending).endings).toEqual([expected, 'close']);
  });

  test('an error status', () => {
    const { stage, endings } = listen();
    stage.begin(429);
    stage.fail(429, { 'retry-after': '3' }, '{"error":{"code":429,"message":"slow down","status":"RESOURCE_EXHAUSTED"}}');
    stage.end();
    expect(endings).toEqual(['fail rate_limit_exceeded', 'close']);
  });

  test.each([null, 500])('a connection that breaks with the status %s', (status) => {
    const { stage, endings } = listen();
    if (status !== null) stage.begin(status);
    stage.break();
    expect(endings).toEqual([`fail ${status === null ? 'upstream_unreachable' : 'upstream_error'}`, 'close']);
  });
});
