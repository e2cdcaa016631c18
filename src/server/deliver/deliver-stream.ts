import { once } from 'node:events';
import type { ServerResponse } from 'node:http';
import type { ResponseEvent } from '../../protocol/responses/event.ts';
import type { StreamWriter } from '../front-doors/front-door.ts';
import { createPassing, type PassingSource } from './create-passing.ts';
import { endsStream } from './ends-stream.ts';

type Events = readonly ResponseEvent[];

/** What a stream is made of: a producer of batches that can also make a numbered event in a silence, and may have the frames of it already. */
export interface EventSource extends PassingSource {
  readonly events: AsyncGenerator<Events>;
  keepAlive(): Events;
}

export interface StreamOptions {
  /** Called with the first batch in hand, when the model server has accepted the call: headers of the answer. */
  readonly headers: () => Readonly<Record<string, string>>;
  readonly writer: StreamWriter;
  /** Silence before a comment, and before a real event (milliseconds). */
  readonly keepAlive: { readonly commentMs: number; readonly eventMs: number };
  /** Aborts when the client leaves. */
  readonly gone: AbortSignal;
}

/**
 * Streams a response: one socket write per batch, whole frames only, because parsers that look for a frame inside one chunk exist. Nothing is read from the producer while the client has no
 * room. Throws only before anything was sent; a producer that throws later (it does so only when the client is gone) just ends the socket.
 */
export async function deliverStream(source: EventSource, raw: ServerResponse, options: StreamOptions): Promise<void> {
  let batch = await source.events.next();
  const { writer } = options;
  raw.writeHead(200, { 'content-type': writer.contentType, ...options.headers(), 'x-accel-buffering': 'no' });
  const toFrames = source.passage == null ? (events: Events) => writer.write(events) : createPassing(source, writer);
  const silence = new Silence(source, raw, options);
  try {
    while (batch.done !== true) {
      const frames = toFrames(batch.value);
      if (frames.length > 0) silence.broken();
      // The end goes out with the batch that brings it, in one write.
      if (endsStream(batch.value)) raw.end(frames);
      else if (frames.length > 0 && !raw.write(frames)) await room(raw, options.gone);
      batch = await source.events.next();
    }
  } catch {
    // Only a client that left makes a producer throw after its first batch: nobody is there to be told.
    raw.destroy();
  } finally {
    silence.stop();
    // A client that left while it had no room: the producer still waits to be asked.
    await source.events.return(undefined);
  }
}

/** Waits until the client has room again, or is gone. */
async function room(raw: ServerResponse, gone: AbortSignal): Promise<void> {
  if (raw.destroyed) return;
  // Rejects when the client leaves, which ends the delivery.
  await once(raw, 'drain', { signal: gone });
}

/** One timer per stream. What is no event keeps proxies awake; clients that count only parsed events (Codex) get a real one, less often. */
class Silence {
  readonly #source: EventSource;
  readonly #raw: ServerResponse;
  readonly #writer: StreamWriter;
  readonly #timer: NodeJS.Timeout;
  readonly #commentsPerEvent: number;
  #comments = 0;

  constructor(source: EventSource, raw: ServerResponse, { writer, keepAlive: { commentMs, eventMs } }: StreamOptions) {
    this.#writer = writer;
    this.#source = source;
    this.#raw = raw;
    this.#commentsPerEvent = Math.max(1, Math.floor(eventMs / commentMs));
    this.#timer = setInterval(
      () => {
        this.#tick();
      },
      Math.min(commentMs, eventMs),
    );
  }

  /** An event goes out. */
  broken(): void {
    this.#comments = 0;
    this.#timer.refresh();
  }

  stop(): void {
    clearInterval(this.#timer);
  }

  #tick(): void {
    // A client without room is not helped by more bytes.
    if (this.#raw.writableNeedDrain || this.#raw.destroyed) return;
    this.#comments += 1;
    const events = this.#comments >= this.#commentsPerEvent ? this.#source.keepAlive() : [];
    if (events.length > 0) this.#comments = 0;
    const frame = this.#writer.write(events) || (this.#writer.idleFrame ?? '');
    if (frame !== '') this.#raw.write(frame);
  }
}
