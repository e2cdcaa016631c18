import type { FrameFormat } from './frame-format.ts';
import { createSniffedFrames } from './sniffed-frames.ts';

/** How the caller wants its answer: `?alt=sse`, a stream without it, or no stream. */
export type AnswerFraming = 'events' | 'array' | 'object';

/** More than any chunk of a model API; pictures come in chunks of some megabytes. */
const maxFrameBytes = 16 * 1024 * 1024;

/** The frames of a body. What it begins with decides; while nothing has come, what the model API says, and then what was asked for. */
export function createFrameFormat(contentType: string, asked: AnswerFraming): FrameFormat {
  const mediaType = contentType.split(';', 1)[0]?.trim().toLowerCase() ?? '';
  const isEventStreamExpected = mediaType === 'text/event-stream' || (mediaType === '' && asked === 'events');
  return createSniffedFrames({ maxFrameBytes, isEventStreamExpected, isArrayExpected: asked === 'array' });
}

/** An answer of our own, framed as Gemini frames its own. */
export function encodeOwnAnswer(
  chunks: readonly unknown[],
  framing: AnswerFraming,
): { readonly contentType: string; readonly body: Uint8Array } {
  const contentType = framing === 'events' ? 'text/event-stream' : 'application/json; charset=UTF-8';
  const format = createFrameFormat(contentType, framing);
  return { contentType, body: format.joinEnd(chunks.map((chunk) => JSON.stringify(chunk))) };
}
