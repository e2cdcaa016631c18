import { parseJson } from '../../lib/json.ts';
import type { RecordingResponse } from './recording.ts';
import { splitArray, splitEvents, splitLines, type BodyFrame } from './split-frames.ts';
import { toFrames, typeOf } from './to-frames.ts';

/** The members of a recorded response that show its body. */
export type ShownBody = Pick<
  RecordingResponse,
  'chunks' | 'sse' | 'framing' | 'body' | 'body_prefix' | 'body_text' | 'body_base64' | 'wire'
> & {
  /** For each chunk the count of UTF-8 bytes up to its end. */
  readonly ends?: readonly number[];
};

export interface StreamedBody {
  readonly framing: 'events' | 'json-array' | 'ndjson';
  readonly isCut: boolean;
  /** Path of the request: whose server it is decides how chunks are written. */
  readonly path: string;
  readonly blankText: (text: string) => string;
}

/** A streamed body in its chunks. The exact text is kept beside them only where it is not what `toFrames` writes. */
export function toStreamedBody(text: string, { framing, isCut, path, blankText }: StreamedBody): ShownBody {
  const frames = splitBody(text, framing, isCut);
  const whole = frames.filter((frame) => frame.chunk !== null);
  const response: RecordingResponse = {
    status: 200,
    headers: {},
    chunks: whole.map(({ chunk }) => blankText(chunk ?? '')),
    ...(framing === 'events' ? { sse: toSse(whole) } : { framing }),
    ...(isCut && { cut: true }),
  };
  const wire = frames.map((frame) => blankText(frame.text));
  const written = toFrames({ fidelity: 'wire', request: { path }, response }, framing === 'json-array');
  const { chunks, sse } = response;
  let size = 0;
  return {
    chunks,
    ...(sse !== undefined && { sse }),
    ...(framing !== 'events' && { framing }),
    ...(written.join('') !== wire.join('') && { wire }),
    ends: whole.map((frame) => (size += Buffer.byteLength(frame.text))),
  };
}

function splitBody(text: string, framing: StreamedBody['framing'], isCut: boolean): readonly BodyFrame[] {
  switch (framing) {
    case 'events':
      return splitEvents(text, isCut);
    case 'json-array':
      return splitArray(text);
    case 'ndjson':
      return splitLines(text, isCut);
  }
}

function toSse(frames: readonly BodyFrame[]): NonNullable<RecordingResponse['sse']> {
  const names = frames.map(({ event }) => event);
  const isNamed = names.some((name) => name !== null);
  const isUsual = frames.every(({ chunk, event }) => chunk === null || chunk.startsWith(':') || event === typeOf(chunk));
  return {
    event_lines: isNamed,
    ...(isNamed && !isUsual && { events: names }),
    eol: frames[0]?.text.includes('\r\n') === true ? 'crlf' : 'lf',
  };
}

/** A body in one piece. */
export function toWholeBody(text: string, blankText: (text: string) => string): ShownBody {
  const shown = blankText(text);
  const body = parseJson(shown);
  if (body === undefined) return { body_text: shown };
  const prefix = /^\s*/.exec(shown)?.[0] ?? '';
  const isUsual = prefix + JSON.stringify(body) === shown;
  return { body, ...(prefix !== '' && { body_prefix: prefix }), ...(!isUsual && { wire: [shown] }) };
}
