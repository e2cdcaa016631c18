import type { ResponseEvent } from '../../protocol/responses/event.ts';
import type { StreamWriter } from '../front-doors/front-door.ts';
import { endsStream } from './ends-stream.ts';

/** A run whose answer may come in a model server's own bytes. */
export interface PassingSource {
  /** Null: it has to be written. `isEnd`: the bytes so far show how the answer ended. `isResumed`: from here on it has to be written, too. */
  readonly passage: { readonly isEnd: boolean; readonly isResumed: boolean } | null;
  /** The bytes that came with the last batch, in whole frames. */
  takeNative(): Uint8Array | null;
}

/**
 * The frames of each batch of a run that passes bytes on. When the answer fails in a way that the server's bytes do not show (it was cut), the dialect's own error frame ends the stream. A server that
 * promised a stream and sent one body has no bytes to pass on: then the events are written at the end.
 */
export function createPassing(
  source: PassingSource,
  writer: StreamWriter,
): (events: readonly ResponseEvent[]) => string | Uint8Array {
  /** Events for the case that no bytes come. */
  const held: ResponseEvent[] = [];
  const sent = { isEmpty: true };

  function end(bytes: Uint8Array | null, events: readonly ResponseEvent[]): string | Uint8Array {
    const last = events.at(-1);
    const isShown = source.passage?.isEnd === true || last?.type !== 'response.failed';
    if (isShown && sent.isEmpty) return writer.write([...held, ...events]);
    if (isShown) return writer.passedEnd === '' ? (bytes ?? '') : join(bytes, writer.passedEnd);
    return join(bytes, writer.fail(last, sent.isEmpty));
  }

  return (events) => {
    const bytes = source.takeNative();
    if (bytes !== null) sent.isEmpty = false;
    if (source.passage?.isResumed === true) return join(bytes, writer.write(events));
    if (endsStream(events)) return end(bytes, events);
    if (sent.isEmpty) held.push(...events);
    else held.length = 0;
    return bytes ?? '';
  };
}

function join(bytes: Uint8Array | null, frames: string): string | Uint8Array {
  return bytes === null ? frames : Buffer.concat([bytes, Buffer.from(frames)]);
}
