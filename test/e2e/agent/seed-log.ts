type Event = Readonly<Record<string, unknown>>;

const usage = {
  input_tokens: 1,
  input_tokens_details: { cached_tokens: 0, cache_write_tokens: 0 },
  output_tokens: 2,
  output_tokens_details: { reasoning_tokens: 0 },
  total_tokens: 3,
};

function responseWith(more: Event): Event {
  return {
    id: 'resp_1',
    object: 'response',
    created_at: 1,
    completed_at: null,
    error: null,
    incomplete_details: null,
    usage: null,
    output: [],
    ...more,
  };
}

const begin: readonly Event[] = ['created', 'in_progress'].map((name) => ({
  type: `response.${name}`,
  response: responseWith({ status: 'in_progress' }),
}));

function endWith(output: readonly Event[], more: Event = {}): Event {
  const response = responseWith({ status: 'completed', completed_at: 2, usage, output, ...more });
  return { type: 'response.completed', response };
}

const numbered = (events: readonly Event[]): readonly Event[] => events.map((event, at) => ({ ...event, sequence_number: at }));

interface Message {
  readonly deltas: readonly string[];
  /** What `…done` says. */
  readonly text: string;
  readonly at?: number;
  /** Where it says it stands once it has begun. */
  readonly laterAt?: number;
  /** What the seed left out of its part events. */
  readonly partsNameItem?: boolean;
  /** Stands between the first delta and the others. */
  readonly interlude?: readonly Event[];
}

const toMessage = (status: string, content: readonly Event[]): Event => ({
  id: 'msg_1',
  type: 'message',
  role: 'assistant',
  status,
  content,
});
const toPart = (text: string): Event => ({ type: 'output_text', text, annotations: [], logprobs: [] });

function messageEvents({ deltas, text, at = 0, laterAt = at, partsNameItem = true, interlude = [] }: Message): readonly Event[] {
  const place = { item_id: 'msg_1', output_index: at, content_index: 0 };
  const partPlace = partsNameItem ? place : { output_index: at, content_index: 0 };
  const later = { ...place, output_index: laterAt };
  const [first = '', ...others] = deltas;
  const toDelta = (delta: string, where: Event): Event => ({ type: 'response.output_text.delta', ...where, delta, logprobs: [] });
  return [
    { type: 'response.output_item.added', output_index: at, item: toMessage('in_progress', []) },
    { type: 'response.content_part.added', ...partPlace, part: toPart('') },
    toDelta(first, place),
    ...interlude,
    ...others.map((delta) => toDelta(delta, later)),
    { type: 'response.output_text.done', ...later, text, logprobs: [] },
    { type: 'response.content_part.done', ...partPlace, output_index: laterAt, part: toPart(text) },
    { type: 'response.output_item.done', output_index: laterAt, item: toMessage('completed', [toPart(text)]) },
  ];
}

function reasoningEvents(text: string, at: number): readonly Event[] {
  const place = { item_id: 'rs_1', output_index: at, summary_index: 0 };
  const part = { type: 'summary_text', text };
  return [
    { type: 'response.output_item.added', output_index: at, item: { id: 'rs_1', type: 'reasoning', summary: [] } },
    { type: 'response.reasoning_summary_part.added', ...place, part: { ...part, text: '' } },
    { type: 'response.reasoning_summary_text.delta', ...place, delta: text },
    { type: 'response.reasoning_summary_text.done', ...place, text },
    { type: 'response.reasoning_summary_part.done', ...place, part },
    { type: 'response.output_item.done', output_index: at, item: { id: 'rs_1', type: 'reasoning', summary: [part] } },
  ];
}

const plain = { deltas: ['Hello ', 'there'], text: 'Hello there' };
const said = toMessage('completed', [toPart(plain.text)]);
const thought = { id: 'rs_1', type: 'reasoning', summary: [{ type: 'summary_text', text: 'Hm' }] };
const called = { id: 'fc_1', type: 'function_call', status: 'completed', call_id: 'call_1', name: 'f', arguments: '{}' };

/** A stream as it should be. */
export const goodLog = numbered([
  ...begin,
  ...reasoningEvents('Hm', 0),
  ...messageEvents({ ...plain, at: 1 }),
  endWith([thought, said]),
]);

/** Streams as the seed sent them, by the number of the deviation. */
export const seedLogs: readonly (readonly [deviation: string, log: readonly Event[]])[] = [
  ['2.1', numbered([...begin, ...messageEvents(plain).slice(0, 4), endWith([], { status: 'incomplete', completed_at: null })])],
  ['2.2', numbered([...begin, ...messageEvents({ ...plain, partsNameItem: false }), endWith([said])])],
  [
    '2.3',
    numbered([
      ...begin,
      ...messageEvents({ ...plain, laterAt: 1, interlude: reasoningEvents('Hm', 0) }),
      endWith([thought, said]),
    ]),
  ],
  ['2.4', numbered([...begin, ...messageEvents(plain), endWith([thought, said])])],
  ['2.6', numbered([...begin, ...messageEvents({ deltas: ['Hello', 'Oh, hello'], text: 'Oh, hello' }), endWith([said])])],
  ['2.7', numbered([...begin, endWith([called])])],
  ['2.8', numbered([...begin, ...reasoningEvents('Hm', 0), ...messageEvents({ ...plain, at: 1 }), endWith([called])])],
  ['2.9', numbered([...begin, ...messageEvents(plain)])],
];

/** A response object as the seed wrote it, whatever was asked. */
export const seedResponse = {
  ...responseWith({
    status: 'completed',
    completed_at: 2,
    output: [said],
    model: 'm',
    instructions: null,
    max_output_tokens: null,
  }),
  ...{ parallel_tool_calls: true, tool_choice: 'auto', tools: [], truncation: 'disabled', temperature: 1, top_p: 1, store: true },
  ...{ text: { format: { type: 'text' } }, reasoning: { effort: null, summary: null }, metadata: {}, user: null },
  ...{ previous_response_id: null, thinking_signature: 'AbCd' },
};
