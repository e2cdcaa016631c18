import { parseJson } from '../../lib/json.ts';
import { createSseDecoder, SseError, type SseEvent } from '../../lib/sse-decoder.ts';
import { GatewayError } from '../../model/errors.ts';
import type { ModelEvent, TurnEvent } from '../../model/model-event.ts';
import type { TurnStage } from './turn-stage.ts';

type Failure = Extract<ModelEvent, { type: 'failure' }>;

/** Bytes of an event stream → what the model did. */
export class EventStreamStage<Event extends TurnEvent = ModelEvent> {
  readonly #decoder: ReturnType<typeof createSseDecoder>;
  readonly #stage: TurnStage<Event>;
  #state: 'open' | 'complete' | 'failed' = 'open';
  #unreadable: string | null = null;
  #isToldByServer = false;

  constructor(stage: TurnStage<Event>, maxEventBytes: number) {
    this.#stage = stage;
    this.#decoder = createSseDecoder({ maxEventBytes });
  }

  /** Nothing comes any more. */
  get isOver(): boolean {
    return this.#state !== 'open';
  }

  /** It is over, and not by a failure. */
  get isComplete(): boolean {
    return this.#state === 'complete';
  }

  /** It is over, and the server's own events say how: it is complete, or they tell of the failure. Else it was cut or could not be read. */
  get isToldByServer(): boolean {
    return this.#isToldByServer;
  }

  /** The data of the event that could not be read; null: that is not what it failed of. */
  get unreadable(): string | null {
    return this.#unreadable;
  }

  /** The model is done, only usage may still come. */
  get settled(): boolean {
    return this.#stage.settled;
  }

  /** One read. Bytes that are no event stream are a failure: `upstream_invalid_response` or `upstream_event_too_large`. */
  push(bytes: Uint8Array): readonly (Event | Failure)[] {
    let events: readonly SseEvent[];
    try {
      events = this.#decoder.push(bytes);
    } catch (thrown) {
      if (!(thrown instanceof SseError)) throw thrown;
      const out = this.#readEvents(thrown.events, malformedChunk);
      this.#append([{ type: 'failure', error: mapSseError(thrown) }], out);
      return out;
    }
    return this.#readEvents(events, malformedChunk);
  }

  /** An event that was read already. */
  pushChunk(chunk: unknown): readonly (Event | Failure)[] {
    const out: (Event | Failure)[] = [];
    try {
      this.#pushChunk(chunk, out);
    } catch (thrown) {
      this.#append([{ type: 'failure', error: GatewayError.from(thrown) }], out);
    }
    return out;
  }

  /** Nothing more comes. An event that was cut off is told from one that is broken. */
  end(): readonly (Event | Failure)[] {
    const out = this.#readEvents(this.#decodeRest(), cutChunk);
    if (this.#state === 'open') this.#endStage(out);
    return out;
  }

  /** What the stage throws becomes a failure, so that what came before it in the same read is not lost. */
  #readEvents(events: readonly SseEvent[], describe: (data: string) => GatewayError): (Event | Failure)[] {
    const out: (Event | Failure)[] = [];
    try {
      for (const { data } of events) {
        if (data === '') continue;
        if (data.startsWith('[DONE]')) {
          this.#endStage(out);
          break;
        }
        const chunk = parseJson(data);
        if (chunk === undefined) {
          this.#unreadable = data;
          throw describe(data);
        }
        this.#pushChunk(chunk, out);
        if (this.#state !== 'open') break;
      }
    } catch (thrown) {
      this.#append([{ type: 'failure', error: GatewayError.from(thrown) }], out);
    }
    return out;
  }

  #pushChunk(chunk: unknown, out: (Event | Failure)[]): void {
    this.#append(this.#stage.push(chunk), out);
    this.#isToldByServer = this.#state !== 'open';
  }

  #endStage(out: (Event | Failure)[]): void {
    const { settled } = this.#stage;
    this.#append(this.#stage.end(), out);
    if (this.#state === 'open') this.#state = 'complete';
    this.#isToldByServer = settled || this.#state === 'complete';
  }

  #append(events: readonly (Event | Failure)[], out: (Event | Failure)[]): void {
    for (const event of events) {
      if (this.#state !== 'open') return;
      out.push(event);
      if (event.type === 'finish') this.#state = 'complete';
      else if (event.type === 'failure') this.#state = 'failed';
    }
  }

  /** The event that was still open. Of a settled turn nothing can be missing any more, so there a cut one is passed over. */
  #decodeRest(): readonly SseEvent[] {
    const { settled } = this.#stage;
    try {
      const events = this.#decoder.end();
      return settled ? events.filter(({ data }) => parseJson(data) !== undefined) : events;
    } catch (cause) {
      if (settled) return [];
      throw new GatewayError('upstream_truncated', 'The model server ended its answer inside an event.', { cause });
    }
  }
}

function mapSseError(thrown: SseError): GatewayError {
  const code = thrown.fault === 'event-too-large' ? 'upstream_event_too_large' : 'upstream_invalid_response';
  return new GatewayError(code, `The model server's answer cannot be read: ${thrown.message}.`, { cause: thrown });
}

function malformedChunk(data: string): GatewayError {
  const cause = new Error(`not JSON: ${data.slice(0, 200)}`);
  return new GatewayError('upstream_invalid_response', 'The model server sent an event that is not JSON.', { cause });
}

function cutChunk(data: string): GatewayError {
  const cause = new Error(`cut: ${data.slice(0, 200)}`);
  return new GatewayError('upstream_truncated', 'The model server ended its answer inside an event.', { cause });
}
