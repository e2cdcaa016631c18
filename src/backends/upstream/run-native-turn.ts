import { openBracket } from '../../lib/json-array-scanner.ts';
import { parseJson } from '../../lib/json.ts';
import type { TurnEvent } from '../../model/model-event.ts';
import type { Secret } from '../../model/secret.ts';
import type { DeltaForm } from './delta-runs.ts';
import { PassedArray } from './passed-array.ts';
import { PassedEventStream, type PassedStreamOptions } from './passed-event-stream.ts';
import { decodeBody, readBytes } from './read-body.ts';
import { defaultEventBytes, defaultGraceMs, type UpstreamTurnOptions } from './turn-options.ts';
import type { PassedStage } from './turn-stage.ts';
import { sniffBody } from './sniff-body.ts';
import { isEventStream, notAnAnswer, readWholeEvents, sendTurn, throwFirstFailure } from './turn-answer.ts';
import { TurnSource } from './turn-source.ts';
import type { UpstreamAnswer } from './upstream-client.ts';

/** How the client wants its answer: as server-sent events, as a JSON array that grows, or as one JSON value. */
type PassedFraming = 'events' | 'array' | 'whole';

export interface NativeTurnOptions extends Omit<UpstreamTurnOptions, 'stage'> {
  readonly stage: PassedStage;
  readonly framing: PassedFraming;
  /** See PassedEventStream. */
  readonly secrets: readonly Secret[];
  readonly deltas: DeltaForm;
  /** Whether a whole body in which the model has failed goes on nevertheless: the client of this dialect looks for the reason in there. Absent: such a body becomes an HTTP status. */
  readonly showsFailure?: (body: unknown) => boolean;
}

type Batch = readonly TurnEvent[];

/**
 * As `runUpstreamTurn`, for a call in the client's own words: beside what the model did come the bytes that say it. A server that answers in another framing than the client wants is only read, without
 * `native-head` and bytes; so is one that calls a JSON value an event stream.
 */
export async function* runNativeTurn(options: NativeTurnOptions): AsyncGenerator<Batch> {
  const { signal } = options;
  const answer = await sendTurn(options);
  const body = answer.body[Symbol.asyncIterator]();
  const source = new TurnSource(body, signal, options.settleGraceMs ?? defaultGraceMs);
  try {
    yield* readAnswer(answer, body, { ...options, source });
  } finally {
    source.close();
  }
}

async function* readAnswer(
  answer: UpstreamAnswer,
  body: AsyncIterator<Uint8Array>,
  options: NativeTurnOptions & { readonly source: TurnSource },
): AsyncGenerator<Batch> {
  const { framing, source } = options;
  const expected = expectedFraming(answer, framing);
  if (expected !== null) yield toHeads(answer, expected, options);
  const { kind, pieces } = await sniffBody(body, expected === 'events');
  if (kind === 'empty' || kind === 'other') throw notAnAnswer(kind, answer);
  const isArray = expected === 'array' && pieces[0]?.[0] === openBracket;
  if (kind === 'json' && !isArray) {
    yield readWhole(await readBytes(pieces, body), answer, options);
    return;
  }
  // Whoever did not call it an event stream is believed now.
  if (expected === null) yield toHeads(answer, 'events', options);
  source.unread(pieces);
  const passed = isArray ? new PassedArray(toStreamOptions(options)) : new PassedEventStream(toStreamOptions(options));
  const batches = readStream(passed, source);
  yield* isArray || framing === 'events' ? batches : withoutBytes(batches);
}

/** The first batch: with a head where the answer has the framing that the client wants. */
function toHeads(answer: UpstreamAnswer, framing: PassedFraming, options: NativeTurnOptions): Batch {
  return framing === options.framing ? [toHead(answer, options)] : [];
}

/** What the status line and the headers promise; null: one JSON value, or nothing. */
function expectedFraming(answer: UpstreamAnswer, framing: PassedFraming): PassedFraming | null {
  if (isEventStream(answer)) return 'events';
  return framing === 'array' ? 'array' : null;
}

function readWhole(bytes: Uint8Array, answer: UpstreamAnswer, options: NativeTurnOptions): Batch {
  const { stage, framing, showsFailure } = options;
  const text = decodeBody(bytes);
  const events = readWholeEvents(text, stage);
  const isDone = events.at(-1)?.type === 'finish';
  const isEnd = isDone || (framing === 'whole' && showsFailure?.(parseJson(text)) === true);
  if (!isEnd) throwFirstFailure(events);
  if (framing !== 'whole' || stage.progress?.isBroken === true) return events;
  return [toHead(answer, options), ...events, { type: 'native', bytes, isEnd }];
}

async function* withoutBytes(batches: AsyncIterable<Batch>): AsyncGenerator<Batch> {
  for await (const batch of batches) yield batch.filter(({ type }) => type !== 'native');
}

function toStreamOptions(options: NativeTurnOptions): PassedStreamOptions {
  const { stage, secrets, deltas, maxEventBytes = defaultEventBytes } = options;
  return { stage, secrets, deltas, maxEventBytes };
}

/** What both kinds of streams have in common. */
interface PassedStream {
  readonly isOver: boolean;
  readonly isComplete: boolean;
  readonly settled: boolean;
  push(bytes: Uint8Array): Batch;
  end(): Batch;
}

async function* readStream(stream: PassedStream, source: TurnSource): AsyncGenerator<Batch> {
  for (;;) {
    const read = await (stream.isComplete ? source.readTail() : source.read(stream.settled));
    const batch = read.done === true ? stream.end() : stream.push(read.value);
    const { isOver, isComplete } = stream;
    if (isOver && isComplete) source.release();
    if (batch.length > 0) yield batch;
    if (isOver) return;
  }
}

/** Headers of the server that tell its limits. */
const passedHeader = /^(?:anthropic-(?:priority-)?ratelimit-|x-ratelimit-)/;

/** The first event where the answer has the framing that the client wants. The content type is the server's where it is the right one. */
function toHead({ headers }: Pick<UpstreamAnswer, 'headers'>, { framing, stage }: NativeTurnOptions): TurnEvent {
  const passed = Object.entries(headers).filter(([name]) => passedHeader.test(name));
  const type = headers['content-type'] ?? '';
  const isRight = framing === 'events' ? isEventStream({ headers }) : /^\s*application\/(?:\S+\+)?json\b/i.test(type);
  const known = { ...Object.fromEntries(passed), ...(isRight && { 'content-type': type }) };
  return { type: 'native-head', headers: known, shown: stage.progress?.shown ?? null };
}
