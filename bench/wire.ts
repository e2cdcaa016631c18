/** The one answer that every measurement moves: 200 deltas of text, in the words of both wires, streamed (ten deltas to a socket write) and whole. */

export const deltaCount = 200;
const deltasPerWrite = 10;

export interface Wire {
  /** Socket writes of the streamed answer, in order. */
  readonly writes: readonly Buffer[];
  /** The unstreamed answer, as JSON bytes. */
  readonly whole: Buffer;
}

/** Prose with what real answers hold: line breaks and quotes (escaped in JSON), two-, three- and four-byte characters. */
const prose =
  'Tides are made by the moon — mostly. Its pull is a little stronger on the near side of the earth than on the far side, so the sea is stretched ' +
  'along the line between the two bodies.\n\nAs the earth turns, a coast passes through both bulges each day: "high water" comes twice, and so does ' +
  '"low water".\n\n- Spring tides: sun and moon pull along one line 🌕\n- Neap tides: they pull at right angles 🌓\n\nThe naïve picture ends here. Real ' +
  'water needs time to move, and coasts stand in its way; in a funnel such as the Bay of Fundy the wave grows to sixteen metres, while the middle of an ' +
  'ocean rises by less than one. ';

/** A tokenizer's habit: a word with the blank before it. The prose repeats until there are enough of them. */
export const deltas: readonly string[] = takeWords(prose, deltaCount);
export const answerText = deltas.join('');

function takeWords(text: string, count: number): string[] {
  const words = text.match(/\s*\S+/gu) ?? [];
  return Array.from({ length: count }, (_, index) => words[index % words.length] ?? '');
}

const inputTokens = 57;
export const usage = { inputTokens, outputTokens: deltaCount, totalTokens: inputTokens + deltaCount };

const chatHead = {
  id: 'chatcmpl-bench0123456789abcdefghij',
  created: 1_790_000_000,
  model: 'bench',
  system_fingerprint: 'fp_bench',
};
const chatUsage = {
  prompt_tokens: usage.inputTokens,
  completion_tokens: usage.outputTokens,
  total_tokens: usage.totalTokens,
  prompt_tokens_details: { cached_tokens: 0 },
};

function chatFrame(choices: readonly object[], rest: object = {}): string {
  return `data: ${JSON.stringify({ ...chatHead, object: 'chat.completion.chunk', choices, ...rest })}\n\n`;
}

function chatChoice(delta: object, finishReason: string | null = null): object {
  return { index: 0, delta, logprobs: null, finish_reason: finishReason };
}

/** Chat completions as OpenAI streams them with `include_usage`. */
export const chatWire: Wire = {
  writes: groupWrites({
    head: chatFrame([chatChoice({ role: 'assistant', content: '' })]),
    frames: deltas.map((content) => chatFrame([chatChoice({ content })])),
    tail: chatFrame([chatChoice({}, 'stop')]) + chatFrame([], { usage: chatUsage }) + 'data: [DONE]\n\n',
  }),
  whole: Buffer.from(
    JSON.stringify({
      ...chatHead,
      object: 'chat.completion',
      choices: [
        { index: 0, message: { role: 'assistant', content: answerText, refusal: null }, logprobs: null, finish_reason: 'stop' },
      ],
      usage: chatUsage,
    }),
  ),
};

function geminiBody(text: string, tokens: number, finishReason?: string): object {
  return {
    candidates: [{ content: { parts: [{ text }], role: 'model' }, ...(finishReason && { finishReason }), index: 0 }],
    usageMetadata: {
      promptTokenCount: usage.inputTokens,
      candidatesTokenCount: tokens,
      totalTokenCount: usage.inputTokens + tokens,
      promptTokensDetails: [{ modality: 'TEXT', tokenCount: usage.inputTokens }],
    },
    modelVersion: 'bench',
    responseId: 'bench0123456789abcdefgh',
  };
}

/** Gemini: CRLF frames, no event lines, usage in every chunk, the finish reason in the last one, no `[DONE]`. */
export const geminiWire: Wire = {
  writes: groupWrites({
    head: '',
    frames: deltas.map((text, index) => {
      const chunk = geminiBody(text, index + 1, index === deltaCount - 1 ? 'STOP' : undefined);
      return `data: ${JSON.stringify(chunk)}\r\n\r\n`;
    }),
    tail: '',
  }),
  whole: Buffer.from(JSON.stringify(geminiBody(answerText, deltaCount, 'STOP'))),
};

function eventFrame(event: { readonly type: string; readonly [member: string]: unknown }): string {
  return `event: ${event.type}\ndata: ${JSON.stringify(event)}\n\n`;
}

/** Anthropic's Messages. */
export const messagesWire: Pick<Wire, 'writes'> = {
  writes: groupWrites({
    head: [
      {
        type: 'message_start',
        message: {
          id: 'msg_bench',
          type: 'message',
          role: 'assistant',
          model: 'bench',
          content: [],
          stop_reason: null,
          stop_sequence: null,
          usage: { input_tokens: inputTokens, output_tokens: 1 },
        },
      },
      { type: 'content_block_start', index: 0, content_block: { type: 'text', text: '' } },
    ]
      .map(eventFrame)
      .join(''),
    frames: deltas.map((text) => eventFrame({ type: 'content_block_delta', index: 0, delta: { type: 'text_delta', text } })),
    tail: [
      { type: 'content_block_stop', index: 0 },
      { type: 'message_delta', delta: { stop_reason: 'end_turn', stop_sequence: null }, usage: { output_tokens: deltaCount } },
      { type: 'message_stop' },
    ]
      .map(eventFrame)
      .join(''),
  }),
};

/** A Responses server: what OpenAI sends, with the mark that this gateway puts behind every stream. */
export const responsesWire: Pick<Wire, 'writes'> = toResponsesWire();

function toResponsesWire(): Pick<Wire, 'writes'> {
  const place = { item_id: 'msg_bench', output_index: 0, content_index: 0 };
  const part = { type: 'output_text', text: answerText, annotations: [], logprobs: [] };
  const item = { id: 'msg_bench', type: 'message', status: 'completed', role: 'assistant', content: [part] };
  const response = {
    id: 'resp_bench',
    object: 'response',
    created_at: 1_790_000_000,
    model: 'bench',
    error: null,
    incomplete_details: null,
  };
  const running = { ...response, status: 'in_progress', output: [], usage: null };
  const counted = {
    input_tokens: usage.inputTokens,
    input_tokens_details: { cached_tokens: 0 },
    output_tokens: usage.outputTokens,
    output_tokens_details: { reasoning_tokens: 0 },
    total_tokens: usage.totalTokens,
  };
  const opening = [
    { type: 'response.created', response: running },
    { type: 'response.in_progress', response: running },
    { type: 'response.output_item.added', output_index: 0, item: { ...item, status: 'in_progress', content: [] } },
    { type: 'response.content_part.added', ...place, part: { ...part, text: '' } },
  ];
  const closing = [
    { type: 'response.output_text.done', ...place, text: answerText, logprobs: [] },
    { type: 'response.content_part.done', ...place, part },
    { type: 'response.output_item.done', output_index: 0, item },
    { type: 'response.completed', response: { ...response, status: 'completed', output: [item], usage: counted } },
  ];
  const said = deltas.map((delta) => ({ type: 'response.output_text.delta', ...place, delta, logprobs: [] }));
  const frames = [...opening, ...said, ...closing].map((event, number) => eventFrame({ ...event, sequence_number: number }));
  return {
    writes: groupWrites({
      head: frames.slice(0, opening.length).join(''),
      frames: frames.slice(opening.length, -closing.length),
      tail: `${frames.slice(-closing.length).join('')}data: [DONE]\n\n`,
    }),
  };
}

interface Frames {
  readonly head: string;
  readonly frames: readonly string[];
  readonly tail: string;
}

function groupWrites({ head, frames, tail }: Frames): Buffer[] {
  const writes: Buffer[] = [];
  for (let start = 0; start < frames.length; start += deltasPerWrite) {
    const isLast = start + deltasPerWrite >= frames.length;
    const text = frames.slice(start, start + deltasPerWrite).join('');
    writes.push(Buffer.from((start === 0 ? head : '') + text + (isLast ? tail : '')));
  }
  return writes;
}
