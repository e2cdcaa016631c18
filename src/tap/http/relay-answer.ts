import type { IncomingMessage } from 'node:http';
import { isKnownEncoding } from '../../backends/upstream/decode-content.ts';
import { createFrameFormat, type AnswerFraming } from '../frames/answer-framing.ts';
import { FrameRelay } from '../frames/frame-relay.ts';
import type { AnswerStage } from '../model-call.ts';
import type { RecordedExchange } from '../recorded-exchange.ts';
import { AnswerCutError, answerEncoding, createBodyPeek, openAnswerBody } from './answer-body.ts';
import type { Caller } from './caller.ts';
import { toHeaderList, toHeaderRecord, withoutHeaders, withoutHopHeaders, type HeaderList } from './header-list.ts';
import { passAnswer } from './pass-answer.ts';

export interface AnswerRelay {
  readonly caller: Caller;
  readonly answer: IncomingMessage;
  /** Null: nobody reads along. */
  readonly stage: AnswerStage | null;
  /** Aborts when the answer shall be broken off. */
  readonly signal: AbortSignal;
  readonly recorded: RecordedExchange | null;
  /** How the caller asked. */
  readonly framing: AnswerFraming;
}

/** What of an error's body the stage gets to see. */
const maxErrorBytes = 64 * 1024;

/** The answer of the model API on its way to the caller, through the stage; ends the stage and the record. */
export async function relayAnswer(relay: AnswerRelay): Promise<void> {
  const { caller, answer, stage, recorded } = relay;
  const status = answer.statusCode ?? 0;
  recorded?.answer(status, toHeaderRecord(toHeaderList(answer.rawHeaders)));
  const onPiece = (bytes: Uint8Array): void => recorded?.piece(bytes);
  let isWhole = false;
  try {
    if (stage === null) isWhole = await passAnswer(caller, answer, onPiece);
    else if (status >= 200 && status < 300) isWhole = await relayFrames({ ...relay, stage }, onPiece);
    else isWhole = await relayError({ ...relay, stage }, onPiece);
  } finally {
    if (isWhole) recorded?.end();
    else recorded?.break();
  }
}

type StagedRelay = AnswerRelay & { readonly stage: AnswerStage };
type OnPiece = (bytes: Uint8Array) => void;

async function relayFrames(relay: StagedRelay, onPiece: OnPiece): Promise<boolean> {
  const { caller, answer, stage, framing, signal } = relay;
  let rest: Uint8Array;
  try {
    stage.begin(answer.statusCode ?? 0);
    const body = openAnswerBody(answer, { decode: true, onPiece });
    caller.begin(answer.statusCode ?? 0, answer.statusMessage ?? '', toRelayedHeaders(answer));
    const frames = new FrameRelay(createFrameFormat(answer.headers['content-type'] ?? '', framing), stage);
    for await (const bytes of body) {
      signal.throwIfAborted();
      await caller.send(frames.push(bytes));
    }
    signal.throwIfAborted();
    rest = frames.end();
  } catch (thrown) {
    stage.break();
    answer.destroy();
    if (!signal.aborted && !(thrown instanceof AnswerCutError)) throw thrown;
    caller.break();
    return false;
  }
  void caller.send(rest);
  caller.end();
  return true;
}

/** Frames may get other sizes on their way, and compressed ones are decompressed. Throws AnswerCutError when they cannot be read: unread they could carry anything past the stage. */
function toRelayedHeaders(answer: IncomingMessage): HeaderList {
  const encoding = answerEncoding(answer);
  const headers = withoutHeaders(withoutHopHeaders(toHeaderList(answer.rawHeaders)), ['content-length']);
  if (encoding === '') return headers;
  if (!isKnownEncoding(encoding)) throw new AnswerCutError('the answer has an encoding that was not asked for');
  return withoutHeaders(headers, ['content-encoding']);
}

async function relayError({ caller, answer, stage }: StagedRelay, onPiece: OnPiece): Promise<boolean> {
  const status = answer.statusCode ?? 0;
  const peek = createBodyPeek(answerEncoding(answer), maxErrorBytes);
  let isWhole = false;
  stage.begin(status);
  try {
    isWhole = await passAnswer(caller, answer, (bytes) => {
      peek.push(bytes);
      onPiece(bytes);
    });
    stage.fail(status, toHeaderRecord(toHeaderList(answer.rawHeaders)), await peek.end());
  } finally {
    if (isWhole) stage.end();
    else stage.break();
  }
  return isWhole;
}
