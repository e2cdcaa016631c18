import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { accumulateMessage } from '../../../test/accumulate-message.ts';
import { checkAnthropicStream } from '../../../test/check-anthropic-stream.ts';
import { loose, type Loose } from '../../../test/check-anthropic-stream/loose-event.ts';
import { counterId } from '../../../test/counter-id.ts';
import { anyTurn } from '../../../test/doubles/model-events.ts';
import { newTestResponse } from '../../../test/doubles/new-test-response.ts';
import type { BuilderInput } from '../../engine/model-event-log.ts';
import { ResponseBuilder } from '../../engine/response-builder.ts';
import { GatewayError } from '../../model/errors.ts';
import type { ModelEvent } from '../../model/model-event.ts';
import type { ResponseResource } from '../../protocol/responses/response.ts';
import { toAnthropicAnswer } from './to-anthropic-answer.ts';
import { AnthropicChunks } from './to-anthropic-chunks.ts';

interface Written {
  readonly events: Loose[];
  readonly faults: string[];
  readonly response: ResponseResource;
  readonly stopSequence: string | null;
}

/** What a client of `POST /v1/messages` gets of a turn. */
function write(batches: readonly (readonly BuilderInput[])[]): Written {
  const builder = new ResponseBuilder(newTestResponse(), {
    newId: counterId(),
    completedAt: () => 200,
    seal: (id) => `sealed ${id}`,
  });
  const chunks = new AnthropicChunks(builder);
  const log = [...builder.begin(), ...batches.flatMap((batch) => builder.push(batch)), ...builder.end()];
  const events = log.flatMap((event) => chunks.push(event)).map((event) => loose(JSON.parse(JSON.stringify(event))));
  const frames = events.map((event) => ({ event: String(event['type']), data: JSON.stringify(event) }));
  return { events, faults: checkAnthropicStream(frames), response: builder.response, stopSequence: builder.stopSequence };
}

/** Without the message's head and the ping. */
function body(...turn: ModelEvent[]): Loose[] {
  const { events, faults } = write([turn]);
  expect(faults).toEqual([]);
  return events.slice(2);
}

function endOf(...turn: ModelEvent[]): Loose {
  return loose(body(...turn).at(-2));
}

const text = (delta: string): ModelEvent => ({ type: 'text-delta', delta });
const thought = (delta: string): ModelEvent => ({ type: 'reasoning-delta', delta });
const state: ModelEvent = { type: 'reasoning-state', state: { format: 'gemini', model: 'm', data: 'signature' } };
const call: ModelEvent[] = [
  { type: 'call-start', callId: 'call_1', name: 'f' },
  { type: 'call-delta', callId: 'call_1', delta: '{"a":' },
  { type: 'call-delta', callId: 'call_1', delta: '1}' },
  { type: 'call-end', callId: 'call_1' },
];
const stop: ModelEvent = { type: 'finish', reason: 'stop' };

describe('a stream', () => {
  test('begins with the message, its numbers and a ping', () => {
    const { events } = write([[text('Hi'), stop]]);
    expect(events.slice(0, 2)).toEqual([
      {
        type: 'message_start',
        message: {
          ...{ id: 'msg_test', type: 'message', role: 'assistant', model: 'scripted/one', content: [] },
          ...{ stop_reason: null, stop_sequence: null },
          usage: {
            ...{ input_tokens: 0, cache_creation_input_tokens: 0, cache_read_input_tokens: 0, output_tokens: 0 },
            output_tokens_details: { thinking_tokens: 0 },
          },
        },
      },
      { type: 'ping' },
    ]);
  });

  test('of signed thinking, text and a call', () => {
    expect(body(thought('Hm'), thought('.'), state, text('I '), text('look.'), ...call, stop)).toEqual([
      { type: 'content_block_start', index: 0, content_block: { type: 'thinking', thinking: '', signature: '' } },
      { type: 'content_block_delta', index: 0, delta: { type: 'thinking_delta', thinking: 'Hm' } },
      { type: 'content_block_delta', index: 0, delta: { type: 'thinking_delta', thinking: '.' } },
      { type: 'content_block_delta', index: 0, delta: { type: 'signature_delta', signature: 'sealed rs_1' } },
      { type: 'content_block_stop', index: 0 },
      { type: 'content_block_start', index: 1, content_block: { type: 'text', text: '', citations: null } },
      { type: 'content_block_delta', index: 1, delta: { type: 'text_delta', text: 'I ' } },
      { type: 'content_block_delta', index: 1, delta: { type: 'text_delta', text: 'look.' } },
      { type: 'content_block_stop', index: 1 },
      { type: 'content_block_start', index: 2, content_block: { type: 'tool_use', id: 'call_1', name: 'f', input: {} } },
      { type: 'content_block_delta', index: 2, delta: { type: 'input_json_delta', partial_json: '{"a":' } },
      { type: 'content_block_delta', index: 2, delta: { type: 'input_json_delta', partial_json: '1}' } },
      { type: 'content_block_stop', index: 2 },
      expect.objectContaining({ type: 'message_delta', delta: { stop_reason: 'tool_use', stop_sequence: null } }),
      { type: 'message_stop' },
    ]);
  });

  test('shows state without text as redacted thinking', () => {
    expect(body(state, ...call, stop)[0]).toEqual({
      type: 'content_block_start',
      index: 0,
      content_block: { type: 'redacted_thinking', data: 'sealed rs_1' },
    });
  });

  test('joins the parts of a summary into one block', () => {
    const { events } = write([[thought('One'), { type: 'reasoning-break' }, thought('Two'), state, text('Hi'), stop]]);
    expect(loose(accumulateMessage(events))['content']).toMatchObject([
      { type: 'thinking', thinking: 'One\n\nTwo' },
      { type: 'text' },
    ]);
  });

  test('has no block for a text that says nothing', () => {
    expect(body(stop).map(({ type }) => type)).toEqual(['message_delta', 'message_stop']);
  });

  test('names the sources of a text', () => {
    const annotation = { url: 'https://x.example', title: 'X', startIndex: 0, endIndex: 2 };
    expect(body(text('Hi'), { type: 'annotation', annotation }, stop)[2]).toEqual({
      type: 'content_block_delta',
      index: 0,
      delta: {
        type: 'citations_delta',
        citation: {
          type: 'web_search_result_location',
          url: 'https://x.example',
          title: 'X',
          cited_text: '',
          encrypted_index: '',
        },
      },
    });
  });

  test('shows a search of the server, and counts it', () => {
    const events = body({ type: 'web-search', queries: ['a', 'b'], sources: ['https://x.example'] }, text('Hi'), stop);
    const blocks = events.flatMap((event) => (event['type'] === 'content_block_start' ? [loose(event['content_block'])] : []));
    expect(blocks.map(({ type }) => type)).toEqual(['server_tool_use', 'web_search_tool_result', 'text']);
    expect(events[1]).toMatchObject({ delta: { partial_json: '{"query":"a; b"}' } });
    expect(events.at(-2)).toMatchObject({ usage: { server_tool_use: { web_search_requests: 1 } } });
  });

  test('counts cached tokens apart', () => {
    const usage = { inputTokens: 100, cachedTokens: 60, cacheWriteTokens: 30, outputTokens: 7, reasoningTokens: 3 };
    expect(endOf(text('Hi'), { type: 'usage', usage }, stop)['usage']).toEqual({
      ...{ input_tokens: 10, cache_creation_input_tokens: 30, cache_read_input_tokens: 60, output_tokens: 7 },
      output_tokens_details: { thinking_tokens: 3 },
    });
  });

  test('that fails ends with the error, and nothing comes after it', () => {
    const { events, faults } = write([
      [text('Hi'), { type: 'failure', error: new GatewayError('upstream_overloaded', 'Busy.') }],
    ]);
    expect(faults).toEqual([]);
    expect(events.at(-2)).toEqual({ type: 'content_block_stop', index: 0 });
    expect(events.at(-1)).toEqual({ type: 'error', error: { type: 'overloaded_error', message: 'Busy.' }, request_id: null });
  });

  test('says nothing for a keep-alive', () => {
    const { events } = write([[text('Hi'), { type: 'keep-alive' }, stop]]);
    expect(events.filter(({ type }) => type === 'content_block_delta')).toHaveLength(1);
  });
});

describe('stop_reason', () => {
  const refusal: ModelEvent = { type: 'refusal-delta', delta: 'No.' };
  const sequence: ModelEvent = { type: 'stop-sequence', sequence: 'END' };
  test.each<[string, ModelEvent[], string, string | null]>([
    ['the end', [text('Hi'), stop], 'end_turn', null],
    ['calls', [...call, stop], 'tool_use', null],
    ['a limit', [text('Hi'), { type: 'finish', reason: 'length' }], 'max_tokens', null],
    ['our own time', [text('Hi'), { type: 'finish', reason: 'timeout' }], 'max_tokens', null],
    ['a filter', [text('Hi'), { type: 'finish', reason: 'content-filter' }], 'refusal', null],
    ['a refusal', [refusal, stop], 'refusal', null],
    ['a call beside a refusal', [refusal, ...call, stop], 'tool_use', null],
    ['a stop sequence', [text('Hi'), sequence, stop], 'stop_sequence', 'END'],
    ['a limit after a stop sequence', [text('Hi'), sequence, { type: 'finish', reason: 'length' }], 'max_tokens', null],
    ['a call that was cut', [...call.slice(0, 2), { type: 'finish', reason: 'length' }], 'max_tokens', null],
  ])('of %s', (_name, turn, stop_reason, stop_sequence) => {
    expect(endOf(...turn)['delta']).toEqual({ stop_reason, stop_sequence });
  });
});

test('whatever a backend reports, the stream obeys the grammar and makes the unstreamed answer', () => {
  fc.assert(
    fc.property(anyTurn, (batches) => {
      const { events, faults, response, stopSequence } = write(batches);
      expect(faults).toEqual([]);
      const message = accumulateMessage(events);
      if (response.status === 'failed') expect(message).toBe(undefined);
      else expect(message).toEqual(JSON.parse(JSON.stringify(toAnthropicAnswer(response, stopSequence))));
    }),
    { numRuns: 500 },
  );
});
