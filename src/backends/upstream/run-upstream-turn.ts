import { parseJson } from '../../lib/json.ts';
import { pushAll } from '../../lib/stage.ts';
import { GatewayError } from '../../model/errors.ts';
import type { ModelEvent } from '../../model/model-event.ts';
import { EventStreamStage } from './event-stream-stage.ts';
import type { MapError } from './map-http-error.ts';
import { readFailure, readText } from './read-body.ts';
import { sniffBody, type BodyKind } from './sniff-body.ts';
import { TurnSource } from './turn-source.ts';
import type { TurnStage } from './turn-stage.ts';
import type { UpstreamAnswer, UpstreamClient, UpstreamRequest } from './upstream-client.ts';

export interface UpstreamTurnOptions {
  readonly client: UpstreamClient;
  readonly request: UpstreamRequest;
  readonly stage: TurnStage;
  /** What a status that is not 2xx means at this backend. */
  readonly mapError: MapError;
  readonly signal: AbortSignal;
  /** Milliseconds to wait for late usage once the stage has settled; 2000. */
  readonly settleGraceMs?: number;
  /** Cap of one event; 8 MiB. */
  readonly maxEventBytes?: number;
}

/**
 * One call to a model server, from the request to the last event; the same for streamed and whole answers, and one batch is what one read of the socket brought.
 * An event stream yields `[]` with its status line; then its events; trouble inside it is a `failure` event, or thrown after all that came before it. A whole answer
 * (one JSON value, or an array of chunks as Gemini sends it) yields its events at once; when the stage's first event is a `failure` that error is thrown instead, so
 * that it can still become an HTTP status. Also thrown: what `mapError` makes of a status that is not 2xx, `upstream_invalid_response` for HTML or nothing, whatever
 * `send` throws, the signal's reason. Stopping the generator destroys the socket.
 */
export async function* runUpstreamTurn(options: UpstreamTurnOptions): AsyncGenerator<readonly ModelEvent[]> {
  const { stage, signal } = options;
  const answer = await sendTurn(options);
  const body = answer.body[Symbol.asyncIterator]();
  const source = new TurnSource(body, signal, options.settleGraceMs ?? 2000);
  try {
    const isEventStream = /^\s*text\/event-stream\b/i.test(answer.headers['content-type'] ?? '');
    if (isEventStream) yield [];
    const opening = await sniffBody(body, isEventStream);
    if (opening.kind === 'json') {
      yield readWholeAnswer(await readText(opening.pieces, body), stage);
      return;
    }
    if (opening.kind !== 'events') throw notAnAnswer(opening.kind, answer);
    if (!isEventStream) yield [];
    const events = new EventStreamStage(stage, options.maxEventBytes ?? 8 * 1024 * 1024);
    source.unread(opening.pieces);
    while (!events.isOver) {
      const read = await source.read(events.settled);
      const batch = read.done === true ? events.end() : events.push(read.value);
      if (events.isComplete) source.release();
      if (batch.length > 0) yield batch;
    }
  } finally {
    source.close();
  }
}

async function sendTurn({ client, request, mapError, signal }: UpstreamTurnOptions): Promise<UpstreamAnswer> {
  const answer = await client.send(request, signal);
  if (answer.status >= 200 && answer.status <= 299) return answer;
  throw mapError(await readFailure(answer, signal));
}

function readWholeAnswer(text: string, stage: TurnStage): readonly ModelEvent[] {
  const value = parseJson(text);
  if (value === undefined) throw new GatewayError('upstream_invalid_response', "The model server's answer is not valid JSON.");
  const chunks: readonly unknown[] = Array.isArray(value) ? value : [value];
  const events = [...pushAll(stage, chunks), ...stage.end()];
  const last = events.findIndex((event) => event.type === 'finish' || event.type === 'failure');
  const [first] = events;
  if (first?.type === 'failure') throw first.error;
  return last === -1 ? events : events.slice(0, last + 1);
}

function notAnAnswer(kind: BodyKind, answer: UpstreamAnswer): GatewayError {
  if (kind === 'empty')
    return new GatewayError('upstream_invalid_response', `The model server answered HTTP ${answer.status} with an empty body.`);
  const type = /^[\w.+-]+\/[\w.+-]+/.exec(answer.headers['content-type'] ?? '')?.[0] ?? 'something';
  return new GatewayError(
    'upstream_invalid_response',
    `The model server answered with ${type} that is neither JSON nor an event stream. Does base_url point at its API?`,
  );
}
