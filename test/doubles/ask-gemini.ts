import type { GeminiAnswer } from '../../src/protocol/gemini/answer.ts';
import { checkGeminiStream } from '../check-gemini-stream.ts';
import { addUpGemini, readGeminiStream } from '../read-gemini-stream.ts';

/** How an answer is asked for: whole, as server-sent events, or as a JSON array that grows. */
export type GeminiWay = 'whole' | 'sse' | 'array';

export interface GeminiReply {
  readonly status: number;
  readonly headers: Headers;
  readonly text: string;
  /** The chunks of a stream; a whole answer is the only one. Empty for an HTTP error. */
  readonly chunks: readonly unknown[];
  /** What the oracle found. */
  readonly faults: readonly string[];
  /** What the chunks add up to; null where the answer failed. */
  readonly answer: GeminiAnswer | null;
  /** The error of an HTTP error, or of the stream. */
  readonly error: { readonly code: number; readonly message: string; readonly status: string; readonly details: unknown } | null;
}

const verbs = { whole: 'generateContent', sse: 'streamGenerateContent?alt=sse', array: 'streamGenerateContent' } as const;

/** Asks a model through the Gemini door, and reads the answer as strictly as the strictest of Google's clients. */
export async function askGemini(
  url: string,
  { model, body, way, headers = {} }: { model: string; body: object; way: GeminiWay; headers?: Record<string, string> },
): Promise<GeminiReply> {
  const sent = await fetch(`${url}/v1beta/models/${model}:${verbs[way]}`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...headers },
    body: JSON.stringify(body),
  });
  return readReply(sent, way);
}

/** The answer of the Gemini door, whoever asked. */
export async function readReply(reply: Response, way: GeminiWay): Promise<GeminiReply> {
  const { status, headers } = reply;
  const text = await reply.text();
  if (status !== 200) return { status, headers, text, chunks: [], faults: [], answer: null, error: errorOf(JSON.parse(text)) };
  const chunks = way === 'whole' ? [JSON.parse(text) as unknown] : readGeminiStream(text, way);
  const error = errorOf(chunks.at(-1));
  const answer = error === null ? addUpGemini(chunks as GeminiAnswer[]) : null;
  return { status, headers, text, chunks, faults: checkGeminiStream(chunks), answer, error };
}

function errorOf(chunk: unknown): GeminiReply['error'] {
  return (chunk as { error?: GeminiReply['error'] } | undefined)?.error ?? null;
}
