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
