import type { TokenLogprob } from '../../model/model-event.ts';
import { markNumber } from './text-mark.ts';
import { speak, type SpokenStep } from './turn-script.ts';

const encoder = new TextEncoder();
/** What a rehearsal model might have said instead. */
const alternatives = ' a, the, of, and, to, in, is, it, on, so, or, as, at, by, be, we, no, if, my, up'.split(',');

/** A text in small pieces: a word with the space before it, long words in pieces. Joined they are the text; no character is split. */
export function splitText(text: string): string[] {
  return text.match(/\s*\S{1,16}|\s+/gu) ?? [];
}

/** Text deltas; with logprobs when the client wants them (`topLogprobs`: how many alternatives). */
export function speakText(pieces: readonly string[], topLogprobs: number | null): SpokenStep[] {
  return pieces.map((delta) => {
    const logprobs = topLogprobs === null ? {} : { logprobs: [inventLogprob(delta, topLogprobs)] };
    return speak({ type: 'text-delta', delta, ...logprobs }, delta);
  });
}

/** Always the same for the same token. The token itself is the likeliest, the alternatives fall off behind it. */
function inventLogprob(token: string, count: number): TokenLogprob {
  const logprob = -(markNumber(token) % 1000) / 2000;
  const others = alternatives.filter((other) => other !== token).map((other, index) => withBytes(other, logprob - 1 - index / 4));
  return { ...withBytes(token, logprob), topLogprobs: [withBytes(token, logprob), ...others].slice(0, count) };
}

function withBytes(token: string, logprob: number): { token: string; logprob: number; bytes: number[] } {
  return { token, logprob, bytes: Array.from(encoder.encode(token)) };
}
