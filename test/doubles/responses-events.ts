/** One event of a Responses stream, as a server sends it. */
export type WireEvent = Record<string, unknown>;

const usage = {
  input_tokens: 9,
  input_tokens_details: { cached_tokens: 0 },
  output_tokens: 4,
  output_tokens_details: { reasoning_tokens: 0 },
  total_tokens: 13,
};

/** The events of one item; `index` is its place in the output. */
type WriteItem = (index: number) => { readonly item: WireEvent; readonly events: readonly WireEvent[] };

/** A whole stream as OpenAI sends it: opening, the items one after the other, `response.completed`, numbered. */
export function streamOf(...items: readonly WriteItem[]): WireEvent[] {
  const written = items.map((write, index) => write(index));
  const response = {
    id: 'resp_1',
    object: 'response',
    created_at: 1,
    model: 'upstream-model',
    error: null,
    incomplete_details: null,
  };
  const running = { ...response, status: 'in_progress', output: [], usage: null };
  const final = { ...response, status: 'completed', output: written.map(({ item }) => item), usage };
  const events = [
    { type: 'response.created', response: running },
    { type: 'response.in_progress', response: running },
    ...written.flatMap(({ events }) => events),
    { type: 'response.completed', response: final },
  ];
  // A copy of each, so that a test can plant a mistake in one place.
  return events.map((event, number) => JSON.parse(JSON.stringify({ ...event, sequence_number: number })) as WireEvent);
}

/** A message with one text part. */
export function message(deltas: readonly string[], options: { readonly annotations?: readonly object[] } = {}): WriteItem {
  return (index) => {
    const { annotations = [] } = options;
    const at = { item_id: `msg_${String(index)}`, output_index: index, content_index: 0 };
    const part = { type: 'output_text', text: deltas.join(''), annotations, logprobs: [] };
    const item = { id: at.item_id, type: 'message', status: 'completed', role: 'assistant', content: [part] };
    return {
      item,
      events: [
        added(index, { ...item, status: 'in_progress', content: [] }),
        { type: 'response.content_part.added', ...at, part: { ...part, text: '', annotations: [] } },
        ...deltas.map((delta) => ({ type: 'response.output_text.delta', ...at, delta, logprobs: [] })),
        ...annotations.map((annotation, number) => ({
          type: 'response.output_text.annotation.added',
          ...at,
          annotation_index: number,
          annotation,
        })),
        { type: 'response.output_text.done', ...at, text: part.text, logprobs: [] },
        { type: 'response.content_part.done', ...at, part },
        done(index, item),
      ],
    };
  };
}

/** A message that refuses. */
export function refusal(deltas: readonly string[]): WriteItem {
  return (index) => {
    const at = { item_id: `msg_${String(index)}`, output_index: index, content_index: 0 };
    const part = { type: 'refusal', refusal: deltas.join('') };
    const item = { id: at.item_id, type: 'message', status: 'completed', role: 'assistant', content: [part] };
    return {
      item,
      events: [
        added(index, { ...item, status: 'in_progress', content: [] }),
        { type: 'response.content_part.added', ...at, part: { ...part, refusal: '' } },
        ...deltas.map((delta) => ({ type: 'response.refusal.delta', ...at, delta })),
        { type: 'response.refusal.done', ...at, refusal: part.refusal },
        { type: 'response.content_part.done', ...at, part },
        done(index, item),
      ],
    };
  };
}

/** Thinking with summary parts, and what the server sealed of it. */
export function reasoning(parts: readonly (readonly string[])[], sealed?: string): WriteItem {
  return (index) => {
    const at = { item_id: `rs_${String(index)}`, output_index: index };
    const summary = parts.map((deltas) => ({ type: 'summary_text', text: deltas.join('') }));
    const item = { id: at.item_id, type: 'reasoning', summary, ...(sealed !== undefined && { encrypted_content: sealed }) };
    const events = parts.flatMap((deltas, number) => {
      const place = { ...at, summary_index: number };
      const part = { type: 'summary_text', text: deltas.join('') };
      return [
        { type: 'response.reasoning_summary_part.added', ...place, part: { ...part, text: '' } },
        ...deltas.map((delta) => ({ type: 'response.reasoning_summary_text.delta', ...place, delta })),
        { type: 'response.reasoning_summary_text.done', ...place, text: part.text },
        { type: 'response.reasoning_summary_part.done', ...place, part },
      ];
    });
    return { item, events: [added(index, { ...item, summary: [] }), ...events, done(index, item)] };
  };
}

/** A function call, whose arguments come in these pieces. */
export function call(name: string, deltas: readonly string[]): WriteItem {
  return (index) => {
    const at = { item_id: `fc_${String(index)}`, output_index: index };
    const text = deltas.join('');
    const item = {
      id: at.item_id,
      type: 'function_call',
      status: 'completed',
      call_id: `call_${String(index)}`,
      name,
      arguments: text,
    };
    return {
      item,
      events: [
        added(index, { ...item, status: 'in_progress', arguments: '' }),
        ...deltas.map((delta) => ({ type: 'response.function_call_arguments.delta', ...at, delta })),
        { type: 'response.function_call_arguments.done', ...at, arguments: text },
        done(index, item),
      ],
    };
  };
}

/** An item without events of its own. */
export function plainItem(item: WireEvent): WriteItem {
  return (index) => ({ item, events: [added(index, item), done(index, item)] });
}

/** A stream with one message. */
export function textEvents(deltas: readonly string[]): WireEvent[] {
  return streamOf(message(deltas));
}

/** A stream with one call. */
export function callEvents(name: string, text: string): WireEvent[] {
  return streamOf(call(name, [text.slice(0, 5), text.slice(5)]));
}

/** The body that a client gets who did not want a stream. */
export function wholeResponse(events: readonly WireEvent[]): unknown {
  return events.at(-1)?.['response'];
}

/** As frames of an event stream. */
export function eventFrames(events: readonly WireEvent[]): string {
  return events.map((event) => `event: ${String(event['type'])}\ndata: ${JSON.stringify(event)}\n\n`).join('');
}

function added(index: number, item: object): WireEvent {
  return { type: 'response.output_item.added', output_index: index, item };
}

function done(index: number, item: object): WireEvent {
  return { type: 'response.output_item.done', output_index: index, item };
}
