/** An answer of a Messages server in both its forms. */
interface AnthropicMessageForms {
  readonly body: object;
  readonly events: readonly AnthropicEvent[];
}

interface AnthropicEvent {
  readonly type: string;
  readonly [key: string]: unknown;
}

interface Ending {
  readonly stop_reason: string;
  readonly stop_sequence?: string | null;
  readonly stop_details?: object | null;
}

const usage = { input_tokens: 9, cache_creation_input_tokens: 0, cache_read_input_tokens: 0, output_tokens: 4 };

/** One frame of an event stream. */
export function eventLine(event: AnthropicEvent): string {
  return `event: ${event.type}\ndata: ${JSON.stringify(event)}\n\n`;
}

/** Blocks as they stand in a body; a stream has their texts and inputs in two pieces. */
export function messageOf(
  content: readonly AnthropicEvent[],
  ending: Ending = { stop_reason: 'end_turn' },
): AnthropicMessageForms {
  const message = { id: 'msg_1', type: 'message', role: 'assistant', model: 'claude-test' };
  const end = { stop_sequence: null, ...ending };
  return {
    body: { ...message, content, ...end, usage },
    events: [
      {
        type: 'message_start',
        message: { ...message, content: [], stop_reason: null, stop_sequence: null, usage: { ...usage, output_tokens: 1 } },
      },
      { type: 'ping' },
      ...content.flatMap(blockEvents),
      { type: 'message_delta', delta: end, usage: { output_tokens: 4 } },
      { type: 'message_stop' },
    ],
  };
}

export function textMessage(text: string): AnthropicMessageForms {
  return messageOf([{ type: 'text', text }]);
}

/** `input`: JSON text of the arguments. */
export function toolMessage(name: string, input: string): AnthropicMessageForms {
  return messageOf([{ type: 'tool_use', id: 'toolu_1', name, input: JSON.parse(input) as unknown }], { stop_reason: 'tool_use' });
}

function blockEvents(block: AnthropicEvent, index: number): AnthropicEvent[] {
  const { start, deltas } = splitBlock(block);
  return [
    { type: 'content_block_start', index, content_block: start },
    ...deltas.map((delta) => ({ type: 'content_block_delta', index, delta })),
    { type: 'content_block_stop', index },
  ];
}

function splitBlock(block: AnthropicEvent): { readonly start: object; readonly deltas: readonly object[] } {
  const { text, thinking, signature, input, citations } = block;
  if (typeof text === 'string') {
    const cited = (Array.isArray(citations) ? citations : []).map((citation: unknown) => ({ type: 'citations_delta', citation }));
    return {
      start: { type: 'text', text: '' },
      deltas: [...cited, ...halves(text).map((half) => ({ type: 'text_delta', text: half }))],
    };
  }
  if (typeof thinking === 'string') {
    const pieces = halves(thinking).map((half) => ({ type: 'thinking_delta', thinking: half }));
    const sign = typeof signature === 'string' ? [{ type: 'signature_delta', signature }] : [];
    return { start: { type: 'thinking', thinking: '', signature: '' }, deltas: [...pieces, ...sign] };
  }
  if (input === undefined) return { start: block, deltas: [] };
  const pieces = halves(JSON.stringify(input)).map((half) => ({ type: 'input_json_delta', partial_json: half }));
  return { start: { ...block, input: {} }, deltas: [{ type: 'input_json_delta', partial_json: '' }, ...pieces] };
}

function halves(text: string): string[] {
  const middle = Math.ceil(text.length / 2);
  return [text.slice(0, middle), text.slice(middle)].filter((half) => half !== '');
}
