import type { ModelEvent } from '../../model/model-event.ts';
import { EventStreamStage } from './event-stream-stage.ts';
import { readText } from './read-body.ts';
import { sniffBody } from './sniff-body.ts';
import { isEventStream, notAnAnswer, readWholeAnswer, sendTurn } from './turn-answer.ts';
import { defaultEventBytes, defaultGraceMs, type UpstreamTurnOptions } from './turn-options.ts';
import { TurnSource } from './turn-source.ts';

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
  const source = new TurnSource(body, signal, options.settleGraceMs ?? defaultGraceMs);
  try {
    const isExpected = isEventStream(answer);
    if (isExpected) yield [];
    const opening = await sniffBody(body, isExpected);
    if (opening.kind === 'json') {
      yield readWholeAnswer(await readText(opening.pieces, body), stage);
      return;
    }
    if (opening.kind !== 'events') throw notAnAnswer(opening.kind, answer);
    if (!isExpected) yield [];
    const events = new EventStreamStage(stage, options.maxEventBytes ?? defaultEventBytes);
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
