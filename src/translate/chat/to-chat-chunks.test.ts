import { describe, expect, test } from 'vitest';
import { counterId } from '../../../test/counter-id.ts';
import { newTestResponse } from '../../../test/doubles/new-test-response.ts';
import { ResponseBuilder } from '../../engine/response-builder.ts';
import { GatewayError } from '../../model/errors.ts';
import type { ModelEvent } from '../../model/model-event.ts';
import type { ChatDelta } from '../../protocol/chat/answer.ts';
import type { ResponseEvent } from '../../protocol/responses/event.ts';
import type { ChatFacts } from './chat-answer.ts';
import { toChatChunks } from './to-chat-chunks.ts';
import { toChatCompletion } from './to-chat-completion.ts';

const plain: ChatFacts = { includesUsage: false, isLegacy: false };

function eventsOf(...turn: ModelEvent[]): ResponseEvent[] {
  const options = { newId: counterId(), completedAt: () => 200, seal: () => 'sealed' };
  const builder = new ResponseBuilder(newTestResponse(), options);
  return [...builder.begin(), ...builder.push(turn), ...builder.end()];
}

function framesOf(events: readonly ResponseEvent[], facts = plain): ReturnType<ReturnType<typeof toChatChunks>['push']> {
  const stage = toChatChunks(facts);
  return [...events.flatMap((event) => stage.push(event)), ...stage.end()];
}

/** The deltas, and the finish_reason at the end. */
function deltasOf(turn: readonly ModelEvent[], facts = plain): (ChatDelta | string)[] {
  return framesOf(eventsOf(...turn), facts).map((frame) => {
    if ('error' in frame) return 'error';
    const [choice] = frame.choices;
    return choice === undefined ? 'usage' : (choice.finish_reason ?? choice.delta);
  });
}

function completionOf(turn: readonly ModelEvent[], facts = plain): ReturnType<typeof toChatCompletion> {
  const last = eventsOf(...turn).at(-1)!;
  if (!('response' in last)) throw new Error('no end');
  return toChatCompletion(last.response, facts);
}

const first = { role: 'assistant', content: '', refusal: null };
const stop: ModelEvent = { type: 'finish', reason: 'stop' };
const call: ModelEvent[] = [
  { type: 'call-start', callId: 'call_1', name: 'search' },
  { type: 'call-delta', callId: 'call_1', delta: '{"a":' },
  { type: 'call-delta', callId: 'call_1', delta: '1}' },
  { type: 'call-end', callId: 'call_1' },
];

describe('a stream', () => {
  test('of text', () => {
    const frames = framesOf(eventsOf({ type: 'text-delta', delta: 'Hello' }, stop), { ...plain, includesUsage: true });
    const envelope = {
      id: 'chatcmpl-test',
      object: 'chat.completion.chunk',
      created: 100,
      model: 'scripted/one',
      system_fingerprint: null,
    };
    const choice = { index: 0, logprobs: null, finish_reason: null };
    expect(frames).toEqual([
      { ...envelope, choices: [{ ...choice, delta: first }], usage: null },
      { ...envelope, choices: [{ ...choice, delta: { content: 'Hello' } }], usage: null },
      { ...envelope, choices: [{ ...choice, delta: {}, finish_reason: 'stop' }], usage: null },
      { ...envelope, choices: [], usage: expect.objectContaining({ total_tokens: 0 }) as unknown },
    ]);
  });

  test('of calls, in the new form and in the old', () => {
    expect(deltasOf([...call, stop])).toEqual([
      first,
      { tool_calls: [{ index: 0, id: 'call_1', type: 'function', function: { name: 'search', arguments: '' } }] },
      { tool_calls: [{ index: 0, function: { arguments: '{"a":' } }] },
      { tool_calls: [{ index: 0, function: { arguments: '1}' } }] },
      'tool_calls',
    ]);
    expect(deltasOf([...call, stop], { ...plain, isLegacy: true })).toEqual([
      first,
      { function_call: { name: 'search', arguments: '' } },
      { function_call: { arguments: '{"a":' } },
      { function_call: { arguments: '1}' } },
      'function_call',
    ]);
  });

  test('brings what was thought, and its sealed state at the end', () => {
    const state = { format: 'gemini', model: 'm', data: null };
    const turn: ModelEvent[] = [
      { type: 'reasoning-delta', delta: 'hm' },
      { type: 'reasoning-break' },
      { type: 'reasoning-delta', delta: 'so' },
      { type: 'reasoning-state', state },
      { type: 'text-delta', delta: 'Hello' },
      stop,
    ];
    const details = [{ type: 'reasoning.encrypted', id: 'rs_1', data: 'sealed', format: 'antiphon-v1', index: 0 }];
    expect(deltasOf(turn)).toEqual([
      first,
      { reasoning_content: 'hm' },
      { reasoning_content: '\n\nso' },
      { content: 'Hello' },
      { reasoning_details: details },
      'stop',
    ]);
    expect(completionOf(turn).choices[0].message).toMatchObject({ reasoning_content: 'hm\n\nso', reasoning_details: details });
  });

  test('keeps messages apart, and sources on their texts', () => {
    const source = (url: string): ModelEvent => {
      return { type: 'annotation', annotation: { url, title: 't', startIndex: 0, endIndex: 3 } };
    };
    const turn: ModelEvent[] = [
      { type: 'text-delta', delta: 'One' },
      source('https://one'),
      { type: 'message-break' },
      { type: 'text-delta', delta: 'Two' },
      source('https://two'),
      stop,
    ];
    const annotations = [
      { type: 'url_citation', url_citation: { url: 'https://one', title: 't', start_index: 0, end_index: 3 } },
      { type: 'url_citation', url_citation: { url: 'https://two', title: 't', start_index: 5, end_index: 8 } },
    ];
    expect(deltasOf(turn)).toEqual([first, { content: 'One' }, { content: '\n\nTwo' }, { annotations }, 'stop']);
    expect(completionOf(turn).choices[0].message).toMatchObject({ content: 'One\n\nTwo', annotations });
  });

  test.each([
    ['length', 'length'],
    ['timeout', 'length'],
    ['content-filter', 'content_filter'],
  ] as const)('that ends by %s says %s', (reason, expected) => {
    expect(
      deltasOf([
        { type: 'text-delta', delta: 'a' },
        { type: 'finish', reason },
      ]).at(-1),
    ).toBe(expected);
    expect(completionOf([...call.slice(0, 2), { type: 'finish', reason }]).choices[0].finish_reason).toBe(expected);
  });

  test('that fails ends with the error and no reason', () => {
    const error = new GatewayError('upstream_overloaded', 'Too much.');
    const frames = framesOf(eventsOf({ type: 'text-delta', delta: 'a' }, { type: 'failure', error }), {
      ...plain,
      includesUsage: true,
    });
    expect(frames.at(-1)).toEqual({
      error: { message: 'Too much.', type: 'server_error', param: null, code: 'upstream_overloaded' },
    });
    expect(frames).toHaveLength(3);
  });
});

describe('an unstreamed answer', () => {
  test('has null where nothing was said', () => {
    expect(completionOf([...call, stop]).choices[0].message).toEqual({
      ...{ role: 'assistant', content: null, refusal: null, annotations: [] },
      tool_calls: [{ id: 'call_1', type: 'function', function: { name: 'search', arguments: '{"a":1}' } }],
    });
    expect(completionOf([...call, stop], { ...plain, isLegacy: true }).choices[0]).toMatchObject({
      message: { content: null, function_call: { name: 'search', arguments: '{"a":1}' } },
      finish_reason: 'function_call',
    });
  });

  test('of a refusal', () => {
    const [choice] = completionOf([{ type: 'refusal-delta', delta: 'No.' }, stop]).choices;
    expect(choice).toMatchObject({ message: { content: null, refusal: 'No.' }, finish_reason: 'stop', logprobs: null });
  });
});
