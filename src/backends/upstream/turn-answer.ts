import { parseJson } from '../../lib/json.ts';
import { pushAll } from '../../lib/stage.ts';
import { GatewayError } from '../../model/errors.ts';
import type { ModelEvent, TurnEvent } from '../../model/model-event.ts';
import { readFailure } from './read-body.ts';
import type { UpstreamTurnOptions } from './turn-options.ts';
import type { BodyKind } from './sniff-body.ts';
import type { TurnStage } from './turn-stage.ts';
import type { UpstreamAnswer } from './upstream-client.ts';

/** The answer to a turn. Throws what `mapError` makes of a status that is not 2xx, and whatever `send` throws. */
export async function sendTurn({
  client,
  request,
  mapError,
  signal,
}: Omit<UpstreamTurnOptions, 'stage'>): Promise<UpstreamAnswer> {
  const answer = await client.send(request, signal);
  if (answer.status >= 200 && answer.status <= 299) return answer;
  throw mapError(await readFailure(answer, signal));
}

/** What a whole body says. A `failure` that comes first is thrown, so that it can still become an HTTP status; so is `upstream_invalid_response` when it is not JSON. */
export function readWholeAnswer<Event extends TurnEvent = ModelEvent>(text: string, stage: TurnStage<Event>): readonly Event[] {
  const events = readWholeEvents(text, stage);
  throwFirstFailure(events);
  return events;
}

/** As `readWholeAnswer`, but throws only for what is not JSON. */
export function readWholeEvents<Event extends TurnEvent = ModelEvent>(text: string, stage: TurnStage<Event>): readonly Event[] {
  const value = parseJson(text);
  if (value === undefined) throw new GatewayError('upstream_invalid_response', "The model server's answer is not valid JSON.");
  const chunks: readonly unknown[] = Array.isArray(value) ? value : [value];
  const events = [...pushAll(stage, chunks), ...stage.end()];
  const last = events.findIndex((event) => event.type === 'finish' || event.type === 'failure');
  return last === -1 ? events : events.slice(0, last + 1);
}

/** A failure that nothing came before. */
export function throwFirstFailure(events: readonly TurnEvent[]): void {
  const first = events.find(({ type }) => type !== 'native-break');
  if (first?.type === 'failure') throw first.error;
}

/** The error of a body that is neither JSON nor an event stream. */
export function notAnAnswer(kind: BodyKind, answer: UpstreamAnswer): GatewayError {
  if (kind === 'empty')
    return new GatewayError('upstream_invalid_response', `The model server answered HTTP ${answer.status} with an empty body.`);
  const type = /^[\w.+-]+\/[\w.+-]+/.exec(answer.headers['content-type'] ?? '')?.[0] ?? 'something';
  return new GatewayError(
    'upstream_invalid_response',
    `The model server answered with ${type} that is neither JSON nor an event stream. Does base_url point at its API?`,
  );
}

/** Whether the server says that it sends one. */
export function isEventStream(answer: Pick<UpstreamAnswer, 'headers'>): boolean {
  return /^\s*text\/event-stream\b/i.test(answer.headers['content-type'] ?? '');
}
