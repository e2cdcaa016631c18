import type { IncomingMessage } from 'node:http';
import { AnswerCutError, openAnswerBody } from './answer-body.ts';
import type { Caller } from './caller.ts';
import { toHeaderList, withoutHopHeaders } from './header-list.ts';

/**
 * The answer goes to the caller as it came, byte for byte. Resolves with whether it was whole; when it was cut, the caller's answer is broken off too. `onPiece` sees every piece.
 */
export async function passAnswer(
  caller: Caller,
  answer: IncomingMessage,
  onPiece: (bytes: Uint8Array) => void = () => undefined,
): Promise<boolean> {
  const body = openAnswerBody(answer, { decode: false, onPiece });
  try {
    caller.begin(answer.statusCode ?? 0, answer.statusMessage ?? '', withoutHopHeaders(toHeaderList(answer.rawHeaders)));
    for await (const bytes of body) await caller.send(bytes);
  } catch (thrown) {
    answer.destroy();
    if (!(thrown instanceof AnswerCutError)) throw thrown;
    caller.break();
    return false;
  }
  caller.end();
  return true;
}
