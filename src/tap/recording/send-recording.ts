import { once } from 'node:events';
import type { ServerResponse } from 'node:http';
import { setTimeout as wait } from 'node:timers/promises';
import type { LoadedRecording } from './load-recordings.ts';
import { toFrames } from './to-frames.ts';

export interface SendOptions {
  /** As a JSON array rather than as an event stream, where the recording is Gemini's. */
  readonly asArray: boolean;
  /** Wait as long as the server did. */
  readonly keepsTiming: boolean;
}

/** A part of the body and when it was there, in milliseconds since the request began. */
interface TimedPart {
  readonly bytes: string | Buffer;
  readonly at: number;
}

/** Answers with a recording; what was cut is cut again. Settles when the answer is over or the client has left. */
export async function sendRecording(recording: LoadedRecording, response: ServerResponse, options: SendOptions): Promise<void> {
  if (response.destroyed) return;
  const gone = new AbortController();
  response.once('close', () => {
    gone.abort();
  });
  const begunAt = performance.now();
  const reach = async (at: number): Promise<void> => {
    const rest = options.keepsTiming ? at - (performance.now() - begunAt) : 0;
    if (rest > 0) await wait(rest, undefined, { signal: gone.signal });
  };
  try {
    await send(recording, response, { reach, gone: gone.signal, asArray: options.asArray });
  } catch (error) {
    if (!gone.signal.aborted) throw error;
  }
}

interface Sending {
  /** Waits until so many milliseconds have passed since the request. */
  readonly reach: (at: number) => Promise<void>;
  readonly gone: AbortSignal;
  readonly asArray: boolean;
}

async function send(recording: LoadedRecording, raw: ServerResponse, { reach, gone, asArray }: Sending): Promise<void> {
  const { timing, cut, status, unanswered } = recording.response;
  await reach(timing?.answer_ms ?? 0);
  if (unanswered === true) {
    raw.destroy();
    return;
  }
  const parts = toParts(recording, asArray);
  raw.writeHead(status, toHeaders(recording, { asArray, parts }));
  raw.flushHeaders();
  for (const { bytes, at } of parts) {
    await reach(at);
    if (!raw.write(bytes)) await once(raw, 'drain', { signal: gone });
  }
  await reach(timing?.end_ms ?? 0);
  // Not `destroy` alone: that could throw away what the client has not read yet.
  if (cut === true) raw.socket?.destroySoon();
  else raw.end();
}

function toParts(recording: LoadedRecording, asArray: boolean): readonly TimedPart[] {
  const { response } = recording;
  const { timing, chunks, framing } = response;
  const end = timing?.end_ms ?? 0;
  if (chunks === undefined) return [{ bytes: toWholeBody(recording), at: end }];
  const isAsRecorded = framing === 'ndjson' || asArray === (framing === 'json-array');
  const frames = (isAsRecorded ? response.wire : undefined) ?? toFrames(recording, asArray);
  return frames.map((bytes, at) => ({ bytes, at: timing?.chunks_ms?.[at] ?? end }));
}

function toWholeBody({ response }: LoadedRecording): string | Buffer {
  const { wire, body, body_prefix: prefix = '', body_text: text = '', body_base64: base64 } = response;
  if (wire !== undefined) return wire.join('');
  if (base64 !== undefined) return Buffer.from(base64, 'base64');
  return body === undefined ? text : prefix + JSON.stringify(body);
}

/** Of the connection, or of an encoding that was undone. */
const transportHeaders = /^(?:content-length|content-encoding|transfer-encoding|connection|keep-alive|date)$/i;

function toHeaders(
  { id, response }: LoadedRecording,
  { asArray, parts }: { readonly asArray: boolean; readonly parts: readonly TimedPart[] },
): Record<string, string> {
  const recorded = Object.entries(response.headers).filter(([name]) => !transportHeaders.test(name));
  const headers = Object.fromEntries(recorded.map(([name, value]) => [name.toLowerCase(), value]));
  const type = contentTypeOf(response, headers['content-type'], asArray);
  const length = parts.reduce((sum, { bytes }) => sum + Buffer.byteLength(bytes), 0);
  return {
    ...headers,
    ...(type !== undefined && { 'content-type': type }),
    'x-recording-id': encodeURIComponent(id),
    ...(response.chunks === undefined && response.cut !== true && { 'content-length': String(length) }),
  };
}

function contentTypeOf(
  { chunks, framing, body }: LoadedRecording['response'],
  recorded: string | undefined,
  asArray: boolean,
): string | undefined {
  if (chunks === undefined) return recorded ?? (body === undefined ? undefined : 'application/json');
  if (framing === 'ndjson') return recorded ?? 'application/x-ndjson';
  if (asArray) return framing === 'json-array' && recorded !== undefined ? recorded : 'application/json; charset=UTF-8';
  return framing === 'json-array' || recorded === undefined ? 'text/event-stream' : recorded;
}
