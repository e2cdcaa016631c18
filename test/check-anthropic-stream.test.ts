import { existsSync, readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { checkAnthropicStream, type WireFrame } from './check-anthropic-stream.ts';
import { loose, type Loose } from './check-anthropic-stream/loose-event.ts';

const usage = { input_tokens: 1, output_tokens: 0, cache_creation_input_tokens: 0, cache_read_input_tokens: 0 };
const message = {
  ...{ id: 'msg_1', type: 'message', role: 'assistant', model: 'm', content: [], stop_reason: null, stop_sequence: null },
  usage,
};

/** A good stream: thinking, text, a call. */
const good: readonly Loose[] = [
  { type: 'message_start', message },
  { type: 'ping' },
  { type: 'content_block_start', index: 0, content_block: { type: 'thinking', thinking: '', signature: '' } },
  { type: 'content_block_delta', index: 0, delta: { type: 'thinking_delta', thinking: 'Hm.' } },
  { type: 'content_block_delta', index: 0, delta: { type: 'signature_delta', signature: 's' } },
  { type: 'content_block_stop', index: 0 },
  { type: 'content_block_start', index: 1, content_block: { type: 'text', text: '' } },
  { type: 'content_block_delta', index: 1, delta: { type: 'text_delta', text: 'Hi' } },
  { type: 'content_block_stop', index: 1 },
  { type: 'content_block_start', index: 2, content_block: { type: 'tool_use', id: 'a', name: 'f', input: {} } },
  { type: 'content_block_delta', index: 2, delta: { type: 'input_json_delta', partial_json: '{}' } },
  { type: 'content_block_stop', index: 2 },
  { type: 'message_delta', delta: { stop_reason: 'tool_use', stop_sequence: null }, usage },
  { type: 'message_stop' },
];

function check(events: readonly unknown[]): string[] {
  return checkAnthropicStream(events.map((event) => ({ event: String(loose(event)['type']), data: JSON.stringify(event) })));
}

/** The good stream with one event changed. */
function changed(at: number, change: Loose): Loose[] {
  return good.map((event, index) => (index === at ? { ...event, ...change } : event));
}

function without(at: number): Loose[] {
  return good.filter((_, index) => index !== at);
}

function withBlock(at: number, block: Loose): Loose[] {
  return changed(at, { content_block: block });
}

function ending(delta: Loose): Loose[] {
  return changed(12, { delta });
}

const error: Loose = { type: 'error', error: { type: 'overloaded_error', message: 'Busy.' } };

describe('good streams', () => {
  test.each<[string, readonly unknown[]]>([
    ['with everything', good],
    ['that fail at once', [error]],
    ['that fail later', [...good.slice(0, 4), error]],
    ['with a ping anywhere', [...good.slice(0, 3), { type: 'ping' }, ...good.slice(3)]],
    ['of nothing', [good[0], ...ending({ stop_reason: 'end_turn', stop_sequence: null }).slice(12)]],
    ['whose call got no arguments', without(10)],
  ])('%s', (_name, events) => {
    expect(check(events)).toEqual([]);
  });
});

/** One mistake each, and a word of what the oracle must say. */
const planted: readonly [name: string, events: readonly unknown[], fault: string][] = [
  ['no message_start', good.slice(1), 'comes before message_start'],
  ['two message_start', [good[0], ...good], 'comes twice'],
  ['an id of the hub', changed(0, { message: { ...message, id: 'resp_1' } }), 'an id without msg_'],
  ['another role', changed(0, { message: { ...message, role: 'user' } }), 'no assistant message'],
  ['content at the start', changed(0, { message: { ...message, content: [{}] } }), 'content is not []'],
  ['a reason at the start', changed(0, { message: { ...message, stop_reason: 'end_turn' } }), 'stopped already'],
  ['no usage at the start', changed(0, { message: { ...message, usage: {} } }), 'usage.input_tokens'],
  ['a block that is not started', without(6), 'no such block is open'],
  ['a block that is not stopped', without(5), 'block 0 is still open'],
  ['the last block is not stopped', without(11), 'block 2 is still open'],
  ['a wrong index', changed(6, { index: 2 }), 'index 2, expected 1'],
  ['a delta for another block', changed(7, { index: 0 }), 'no such block is open'],
  ['a stop for another block', changed(8, { index: 0 }), 'no such block is open'],
  ['text without its key', withBlock(6, { type: 'text' }), 'text is not ""'],
  ['thinking without its key', withBlock(2, { type: 'thinking', signature: '' }), 'thinking and signature'],
  ['redacted thinking without data', withBlock(2, { type: 'redacted_thinking' }), 'no data'],
  ['a call without an id', withBlock(9, { type: 'tool_use', name: 'f', input: {} }), 'no id'],
  ['a call without a name', withBlock(9, { type: 'tool_use', id: 'a', input: {} }), 'no name'],
  ['a call that starts with input', withBlock(9, { type: 'tool_use', id: 'a', name: 'f', input: { a: 1 } }), 'input is not {}'],
  ['a block that nobody knows', withBlock(6, { type: 'output_text', text: '' }), 'no such block'],
  [
    'a delta of another kind',
    changed(7, { delta: { type: 'thinking_delta', thinking: 'x' } }),
    'thinking_delta in a block of type text',
  ],
  ['a delta that nobody knows', changed(7, { delta: { type: 'output_text.delta' } }), 'in a block of type text'],
  ['a delta without its text', changed(7, { delta: { type: 'text_delta' } }), 'text_delta without text'],
  ['thinking after the signature', [...good.slice(0, 5), good[3], ...good.slice(5)], 'comes after the signature'],
  ['a citation of nothing', changed(7, { delta: { type: 'citations_delta', citation: {} } }), 'a citation without'],
  ['broken arguments', changed(10, { delta: { type: 'input_json_delta', partial_json: '{"a":' } }), 'no JSON object'],
  ['no message_delta', without(12), 'no message_delta'],
  ['two message_delta', [...good.slice(0, 13), ...good.slice(12)], 'comes twice'],
  ['an unknown reason', ending({ stop_reason: 'stop', stop_sequence: null }), 'stop_reason stop'],
  ['a sequence without the reason', ending({ stop_reason: 'tool_use', stop_sequence: 'END' }), 'stop_sequence does not fit'],
  ['a reason without the sequence', ending({ stop_reason: 'stop_sequence', stop_sequence: null }), 'stop_sequence does not fit'],
  ['an end in spite of a call', ending({ stop_reason: 'end_turn', stop_sequence: null }), 'end_turn with a call'],
  ['a call that is not there', [good[0], ...good.slice(12)], 'tool_use without a call'],
  ['no usage at the end', changed(12, { usage: { output_tokens: 1.5 } }), 'usage.output_tokens is no count'],
  ['no message_stop', without(13), 'no message_stop'],
  ['something after the end', [...good, { type: 'ping' }], 'comes after the end'],
  ['something after an error', [good[0], error, good[13]], 'comes after the end'],
  ['an error without a message', [{ type: 'error', error: { type: 'api_error' } }], 'without type or message'],
  ['an event of the hub', [...good.slice(0, 13), { type: 'response.completed' }, good[13]], 'no such event'],
  ['nothing', [], 'no message_stop'],
];

describe('planted mistakes are found', () => {
  test.each(planted)('%s', (_name, events, fault) => {
    expect(check(events).join('\n')).toContain(fault);
  });

  test.each<[WireFrame, string]>([
    [{ event: null, data: '{"type":"ping"}' }, 'its frame is named null'],
    [{ event: 'message_stop', data: '{"type":"ping"}' }, 'its frame is named message_stop'],
    [{ event: null, data: '[DONE]' }, 'no JSON object'],
  ])('%j', (frame, fault) => {
    expect(checkAnthropicStream([frame]).join('\n')).toContain(fault);
  });
});

/** Recordings that are no single stream as we may write it: several answers in one file, tools called by code, blocks of other servers, figures left out (Ollama). */
const others = /fallback|programmatic|tool-search|20260209|spliced|llama-stack/;
const folder = new URL('../../shared/recordings/dev/', import.meta.url);

test.skipIf(!existsSync(folder))('real streams are good', () => {
  let streams = 0;
  for (const file of ['anthropic-stream', 'anthropic-compat-stream']) {
    for (const line of readFileSync(new URL(`${file}.jsonl`, folder), 'utf8')
      .trim()
      .split('\n')) {
      const { id, response } = JSON.parse(line) as { id: string; response: { chunks: string[] } };
      if (others.test(id)) continue;
      const frames = response.chunks.map((data) => ({ event: String(loose(JSON.parse(data))['type']), data }));
      expect(checkAnthropicStream(frames), id).toEqual([]);
      streams++;
    }
  }
  console.log(`real streams that pass the oracle: ${String(streams)}`);
  expect(streams).toBeGreaterThan(40);
});
