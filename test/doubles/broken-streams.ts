import type { LintRule } from '../../src/translate/responses/lint/lint-rules.ts';
import { call, message, plainItem, reasoning, streamOf, type WireEvent } from './responses-events.ts';

/** What a client has to get of a stream. */
export interface Shown {
  readonly text: string;
  readonly reasoning: string;
  readonly call: string;
  readonly status: 'completed' | 'failed';
}

export interface BrokenStream {
  readonly rule: LintRule;
  /** Breaks that rule in a good stream. */
  readonly plant: (stream: WireEvent[]) => WireEvent[];
  /** What a client gets besides, or instead. */
  readonly shown?: Partial<Shown>;
}

export const whole: Shown = { text: 'Hello there', reasoning: 'hm ok', call: '{"city":"Oslo"}', status: 'completed' };

const source = { type: 'url_citation', url: 'https://example.org/', title: 'E', start_index: 0, end_index: 5 };

/** Thinking, a text with a source, a call. */
export function goodStream(): WireEvent[] {
  return streamOf(...goodItems);
}

const goodItems = [
  reasoning([['hm', ' ok']], 'sealed-by-upstream'),
  message(['Hello', ' there'], { annotations: [source] }),
  call('get_weather', ['{"city":', '"Oslo"}']),
];

/** The same and a web search, whose steps come in this order. */
function searchStream(steps: readonly string[]): WireEvent[] {
  const action = { type: 'search', query: 'Oslo', queries: ['Oslo'] };
  const stream = streamOf(...goodItems, plainItem({ id: 'ws_3', type: 'web_search_call', status: 'completed', action }));
  const events = steps.map((step) => ({ type: `response.web_search_call.${step}`, item_id: 'ws_3', output_index: 3 }));
  return numbered(stream.toSpliced(-2, 0, ...events));
}

/** One stream for each rule that another server can break. */
export const brokenStreams: readonly BrokenStream[] = [
  { rule: 'event-shape', plant: (stream) => stream.toSpliced(3, 0, 42 as unknown as WireEvent) },
  { rule: 'sequence-number', plant: (stream) => set(stream, delta(stream), { sequence_number: 99 }) },
  { rule: 'created-first', plant: (stream) => without(stream, 'created') },
  { rule: 'created-once', plant: (stream) => numbered(stream.toSpliced(2, 0, { ...one(stream, 'created') })) },
  { rule: 'in-progress-second', plant: (stream) => without(stream, 'in_progress') },
  { rule: 'terminal-missing', plant: (stream) => stream.slice(0, -1), shown: { status: 'failed' } },
  { rule: 'nothing-after-terminal', plant: (stream) => numbered([...stream, { ...delta(stream) }]) },
  { rule: 'stray-error', plant: (stream) => set(stream, delta(stream), { error: { message: 'not the end' } }) },
  { rule: 'response-missing', plant: (stream) => unset(stream, one(stream, 'completed'), 'response') },
  { rule: 'stray-response', plant: (stream) => set(stream, delta(stream), { response: {} }) },
  { rule: 'response-status', plant: (stream) => set(stream, final(stream), { status: 'complete' }) },
  { rule: 'response-id', plant: (stream) => set(stream, final(stream), { id: 'resp_other' }) },
  {
    rule: 'early-end',
    plant: (stream) => set(stream, responseOf(one(stream, 'in_progress')), { usage: final(stream)['usage'] }),
  },
  {
    rule: 'running-output',
    plant: (stream) => set(stream, responseOf(one(stream, 'in_progress')), { output: [{ id: 'msg_x' }] }),
  },
  { rule: 'usage-missing', plant: (stream) => set(stream, final(stream), { usage: null }) },
  { rule: 'usage-counts', plant: (stream) => set(stream, final(stream)['usage'] as WireEvent, { input_tokens: '9' }) },
  { rule: 'error-object', plant: (stream) => set(stream, final(stream), { error: { code: 'x', message: 'not meant' } }) },
  { rule: 'incomplete-details', plant: (stream) => set(stream, final(stream), { incomplete_details: { reason: 'none' } }) },
  { rule: 'final-output', plant: (stream) => set(stream, final(stream), { output: [] }) },
  { rule: 'incomplete-item', plant: (stream) => setItem(stream, 'message', { status: 'incomplete' }) },
  { rule: 'item-missing', plant: (stream) => unset(stream, item(stream, 'added', 'function_call'), 'item') },
  { rule: 'item-overlap', plant: (stream) => moved(stream, item(stream, 'done', 'reasoning'), 2) },
  { rule: 'output-index', plant: (stream) => set(stream, delta(stream), { output_index: 7 }) },
  { rule: 'item-id', plant: (stream) => set(stream, delta(stream), { item_id: 'msg_changed' }) },
  { rule: 'item-start', plant: (stream) => set(stream, itemOf(item(stream, 'added', 'message')), { status: 'completed' }) },
  { rule: 'item-never-added', plant: (stream) => withoutEvents(stream, [item(stream, 'added', 'message')]) },
  { rule: 'item-never-done', plant: (stream) => withoutEvents(stream, [item(stream, 'done', 'message')]) },
  { rule: 'item-identity', plant: (stream) => setItem(stream, 'message', { id: 'msg_changed' }) },
  { rule: 'item-status', plant: (stream) => setItem(stream, 'message', { status: 'in_progress' }) },
  { rule: 'item-content', plant: (stream) => setItem(stream, 'message', { content: [] }) },
  {
    rule: 'empty-message',
    plant: (stream) => {
      setItem(stream, 'message', { content: [] });
      return withoutEvents(
        stream,
        stream.filter(({ type }) => /output_text|content_part/.test(String(type))),
      );
    },
    shown: { text: '' },
  },
  { rule: 'tool-steps', plant: () => searchStream(['searching', 'completed', 'searching']) },
  { rule: 'call-id', plant: (stream) => setAdded(setItem(stream, 'function_call', { call_id: '' }), { call_id: '' }) },
  { rule: 'call-name', plant: (stream) => unset(stream, itemOf(item(stream, 'added', 'function_call')), 'name') },
  { rule: 'arguments-sum', plant: (stream) => without(stream, 'function_call_arguments.delta', 1) },
  { rule: 'arguments-done', plant: (stream) => without(stream, 'function_call_arguments.done') },
  {
    rule: 'arguments-json',
    plant: (stream) => rewritten(stream, '"Oslo"}', '"Oslo'),
    shown: { call: '{"city":"Oslo', status: 'failed' },
  },
  { rule: 'part-missing', plant: (stream) => unset(stream, one(stream, 'content_part.done'), 'part') },
  { rule: 'part-overlap', plant: (stream) => again(stream, 'content_part.added') },
  { rule: 'part-index', plant: (stream) => set(stream, delta(stream), { content_index: 3 }) },
  { rule: 'part-start', plant: (stream) => set(stream, one(stream, 'content_part.added')['part'] as WireEvent, { text: 'He' }) },
  { rule: 'part-never-added', plant: (stream) => without(stream, 'content_part.added') },
  { rule: 'part-never-done', plant: (stream) => without(stream, 'content_part.done') },
  {
    rule: 'part-type',
    plant: (stream) => set(stream, one(stream, 'content_part.done'), { part: { type: 'refusal', refusal: 'Hello there' } }),
  },
  { rule: 'text-done', plant: (stream) => without(stream, 'output_text.done') },
  { rule: 'text-sum', plant: (stream) => without(stream, 'output_text.delta', 1) },
  { rule: 'delta-type', plant: (stream) => set(stream, delta(stream), { delta: 5 }), shown: { text: ' there' } },
  {
    rule: 'surrogate-pair',
    plant: (stream) => {
      const torn = rewritten(stream, 'Hello there', 'Hello😀 there');
      set(torn, delta(torn), { delta: 'Hello\ud83d' });
      return set(torn, one(torn, 'output_text.delta', 1), { delta: '\ude00 there' });
    },
    shown: { text: 'Hello😀 there' },
  },
  { rule: 'annotations', plant: (stream) => set(stream, one(stream, 'output_text.annotation.added'), { annotation_index: 5 }) },
];

/** The event of that type, or the one of them at that place. */
function one(stream: readonly WireEvent[], type: string, at = 0): WireEvent {
  const found = stream.filter((event) => event['type'] === `response.${type}`)[at];
  if (found === undefined) throw new Error(`no ${type} in the stream`);
  return found;
}

/** The first text delta. */
function delta(stream: readonly WireEvent[]): WireEvent {
  return one(stream, 'output_text.delta');
}

function final(stream: readonly WireEvent[]): WireEvent {
  return responseOf(one(stream, 'completed'));
}

function responseOf(event: WireEvent): WireEvent {
  return event['response'] as WireEvent;
}

function itemOf(event: WireEvent): WireEvent {
  return event['item'] as WireEvent;
}

function item(stream: readonly WireEvent[], verb: 'added' | 'done', type: string): WireEvent {
  const found = stream.find((event) => event['type'] === `response.output_item.${verb}` && itemOf(event)['type'] === type);
  if (found === undefined) throw new Error(`no ${type} is ${verb}`);
  return found;
}

/** Changes the item where it is done, and in the final output. */
function setItem(stream: WireEvent[], type: string, change: WireEvent): WireEvent[] {
  Object.assign(itemOf(item(stream, 'done', type)), change);
  const output = final(stream)['output'] as WireEvent[];
  Object.assign(output.find((other) => other['type'] === type) ?? {}, change);
  return stream;
}

function setAdded(stream: WireEvent[], change: WireEvent): WireEvent[] {
  return set(stream, itemOf(item(stream, 'added', 'function_call')), change);
}

/** Changes one object of the stream. */
function set(stream: WireEvent[], object: WireEvent, change: WireEvent): WireEvent[] {
  Object.assign(object, change);
  return stream;
}

function unset(stream: WireEvent[], object: WireEvent, name: string): WireEvent[] {
  Reflect.deleteProperty(object, name);
  return stream;
}

function without(stream: readonly WireEvent[], type: string, at = 0): WireEvent[] {
  return withoutEvents(stream, [one(stream, type, at)]);
}

function withoutEvents(stream: readonly WireEvent[], events: readonly WireEvent[]): WireEvent[] {
  return numbered(stream.filter((event) => !events.includes(event)));
}

function again(stream: readonly WireEvent[], type: string): WireEvent[] {
  const event = one(stream, type);
  return numbered(stream.toSpliced(stream.indexOf(event), 0, { ...event }));
}

function moved(stream: readonly WireEvent[], event: WireEvent, by: number): WireEvent[] {
  const at = stream.indexOf(event);
  return numbered(stream.toSpliced(at, 1).toSpliced(at + by, 0, event));
}

function rewritten(stream: readonly WireEvent[], from: string, to: string): WireEvent[] {
  return JSON.parse(
    JSON.stringify(stream).replaceAll(JSON.stringify(from).slice(1, -1), JSON.stringify(to).slice(1, -1)),
  ) as WireEvent[];
}

function numbered(stream: readonly WireEvent[]): WireEvent[] {
  return stream.map((event, sequence_number) => ({ ...event, sequence_number }));
}
