import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { checkEventLog } from '../../test/check-event-log.ts';
import { counterId } from '../../test/counter-id.ts';
import { anyTurn } from '../../test/doubles/model-events.ts';
import { newTestResponse } from '../../test/doubles/new-test-response.ts';
import type { ModelEvent } from '../model/model-event.ts';
import type { ResponseEvent } from '../protocol/responses/event.ts';
import type { BuilderInput } from './model-event-log.ts';
import { ResponseBuilder } from './response-builder.ts';

function build(batches: readonly (readonly BuilderInput[])[]): { events: ResponseEvent[]; builder: ResponseBuilder } {
  const builder = new ResponseBuilder(newTestResponse(), {
    newId: counterId(),
    completedAt: () => 200,
    seal: (id) => `sealed ${id}`,
  });
  const events = [...builder.begin(), ...batches.flatMap((batch) => builder.push(batch)), ...builder.end()];
  return { events, builder };
}

function typesOf(...events: ModelEvent[]): string[] {
  const log = build([events]).events;
  expect(checkEventLog(log)).toEqual([]);
  return log.slice(2).map((event) => event.type.replace('response.', ''));
}

const start = (callId: string): ModelEvent => ({ type: 'call-start', callId, name: 'get_weather' });
const args = (callId: string, delta: string): ModelEvent => ({ type: 'call-delta', callId, delta });
const end = (callId: string): ModelEvent => ({ type: 'call-end', callId });
const text = (delta: string): ModelEvent => ({ type: 'text-delta', delta });
const thought = (delta: string): ModelEvent => ({ type: 'reasoning-delta', delta });
const state: ModelEvent = { type: 'reasoning-state', state: { format: 'gemini', model: 'm', data: 'signature' } };
const stop: ModelEvent = { type: 'finish', reason: 'stop' };

describe('the golden order of events (recordings README §5.2)', () => {
  test('plain text', () => {
    expect(typesOf(text('Hel'), text('lo'), stop)).toEqual([
      'output_item.added',
      'content_part.added',
      'output_text.delta',
      'output_text.delta',
      'output_text.done',
      'content_part.done',
      'output_item.done',
      'completed',
    ]);
  });

  test('thinking, text and two calls stand one after the other', () => {
    const types = typesOf(thought('hm'), text('I look.'), start('a'), args('a', '{}'), end('a'), start('b'), end('b'), stop);
    expect(types).toEqual([
      ...['output_item.added', 'reasoning_summary_part.added', 'reasoning_summary_text.delta', 'reasoning_summary_text.done'],
      ...['reasoning_summary_part.done', 'output_item.done'],
      ...[
        'output_item.added',
        'content_part.added',
        'output_text.delta',
        'output_text.done',
        'content_part.done',
        'output_item.done',
      ],
      ...['output_item.added', 'function_call_arguments.delta', 'function_call_arguments.done', 'output_item.done'],
      ...['output_item.added', 'function_call_arguments.delta', 'function_call_arguments.done', 'output_item.done'],
      'completed',
    ]);
  });

  test('state without thinking text is an item of its own, before the call it belongs to', () => {
    expect(typesOf(state, start('a'), end('a'), stop).slice(0, 3)).toEqual([
      'output_item.added',
      'output_item.done',
      'output_item.added',
    ]);
  });

  test('a refusal completes', () => {
    expect(typesOf({ type: 'refusal-delta', delta: 'No.' }, stop)).toContain('refusal.done');
  });
});

describe('a break between messages', () => {
  const breaks: ModelEvent = { type: 'message-break' };
  const textsOf = (...events: ModelEvent[]): string[] => {
    const { events: log, builder } = build([events]);
    expect(checkEventLog(log)).toEqual([]);
    return builder.response.output.map((item) =>
      item.type === 'message'
        ? item.content.map((part) => (part.type === 'refusal' ? part.refusal : part.text)).join()
        : item.type,
    );
  };

  test('ends the message: what is said next is another one', () => {
    expect(textsOf(text('I look.'), breaks, text('It is '), text('cold.'), stop)).toEqual(['I look.', 'It is cold.']);
    expect(typesOf(text('a'), breaks).slice(3, 6)).toEqual(['output_text.done', 'content_part.done', 'output_item.done']);
  });

  test('is nothing where no message is open', () => {
    expect(textsOf(breaks, text('a'), breaks, breaks, stop)).toEqual(['a']);
    expect(textsOf(breaks, stop)).toEqual(['']);
    expect(textsOf(thought('hm'), breaks, thought('hm'), text('a'), stop)).toEqual(['reasoning', 'a']);
  });

  test('waits behind an open call like everything else', () => {
    const events = [start('a'), text('One'), breaks, text('Two'), args('a', '{}'), end('a'), stop];
    expect(textsOf(...events)).toEqual(['function_call', 'One', 'Two']);
  });

  test('leaves whole messages whole when the answer is cut after it', () => {
    const { response } = build([[text('One'), breaks, { type: 'finish', reason: 'length' }]]).builder;
    expect(response).toMatchObject({ status: 'incomplete', output: [{ status: 'completed' }] });
  });
});

describe('calls', () => {
  test('interleaved calls wait for the open one, and nothing of them is lost', () => {
    const { builder } = build([
      [start('a'), start('b'), args('b', '{"b":'), args('a', '{"a":1}'), text('!'), args('b', '2}'), end('b'), end('a'), stop],
    ]);
    expect(builder.response.output).toMatchObject([
      { type: 'function_call', call_id: 'a', arguments: '{"a":1}', status: 'completed' },
      { type: 'function_call', call_id: 'b', arguments: '{"b":2}', status: 'completed' },
      { type: 'message', content: [{ text: '!' }] },
    ]);
  });

  test('a call without arguments gets an empty object', () => {
    expect(build([[start('a'), end('a'), stop]]).builder.response.output).toMatchObject([{ arguments: '{}' }]);
  });

  test.each([
    ['cut off by the end of the stream', [start('a'), args('a', '{"ci')], 'failed'],
    ['cut off although the model says it stopped', [start('a'), args('a', '{"ci'), stop], 'failed'],
    ['whole but not JSON', [start('a'), args('a', '{"ci'), end('a'), stop], 'failed'],
    ['whole but no object', [start('a'), args('a', '[1]'), end('a'), stop], 'failed'],
    ['cut off at the token limit', [start('a'), args('a', '{"ci'), { type: 'finish', reason: 'length' }], 'incomplete'],
  ] satisfies [string, ModelEvent[], string][])('a call that is %s is never completed', (_case, batch, status) => {
    const { events, builder } = build([batch]);
    expect(checkEventLog(events)).toEqual([]);
    expect(builder.response).toMatchObject({ status, output: [{ type: 'function_call', status: 'incomplete' }] });
  });
});

describe('the end', () => {
  test('a stream that just stops has failed, with what there was', () => {
    expect(build([[text('Half a')]]).builder.response).toMatchObject({
      status: 'failed',
      error: { code: 'upstream_truncated' },
      output: [{ status: 'incomplete', content: [{ text: 'Half a' }] }],
    });
  });

  test('an empty answer is an empty message: without any item agents ask again for ever', () => {
    expect(build([[stop]]).builder.response).toMatchObject({
      status: 'completed',
      output: [{ type: 'message', content: [{ text: '' }] }],
    });
  });

  test('what could not be stored fails although the model had finished', () => {
    const builder = new ResponseBuilder(newTestResponse(), { newId: counterId(), completedAt: () => 200, seal: () => undefined });
    builder.begin();
    builder.push([text('All of it'), stop]);
    expect(builder.response.status).toBe('completed');
    builder.push([{ type: 'failure', error: build([[]]).builder.response.error as never }]);
    expect(builder.response.status).toBe('failed');
  });

  test('both halves of a torn emoji arrive together', () => {
    const { events } = build([[text('a\ud83d'), text('\ude00b'), stop]]);
    expect(events.flatMap((event) => (event.type === 'response.output_text.delta' ? [event.delta] : []))).toEqual(['a', '😀b']);
  });
});

test('whatever a backend does, in whatever order, the log obeys the grammar', () => {
  let tried = 0;
  fc.assert(
    fc.property(anyTurn, (batches) => {
      tried++;
      expect(checkEventLog(build(batches).events)).toEqual([]);
    }),
    { numRuns: 2000 },
  );
  console.log(`grammar: 0 bad / ${String(tried)} tried`);
});
