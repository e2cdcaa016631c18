import { parseJson } from '../../lib/json.ts';
import { readRoute } from './read-route.ts';
import type { RecordingResponse } from './recording.ts';

/** What of a recording decides how its chunks look on the wire. */
export interface FramedRecording {
  readonly fidelity: string;
  readonly request: { readonly path: string };
  readonly response: RecordingResponse;
}

/**
 * The body of a streamed answer, one text for each chunk, from `chunks` alone. `asArray`: a JSON array, which is what Gemini sends unless `alt=sse` stands in the query.
 * A cut array has no closing bracket. The rules are those of `replay.mjs`, so that both serve the same bytes; only an event stream whose line ends are noted as LF keeps them
 * here whatever the server.
 */
export function toFrames(recording: FramedRecording, asArray: boolean): readonly string[] {
  const { chunks = [], framing, cut } = recording.response;
  const { kind } = readRoute(recording.request.path, '', undefined);
  if (framing === 'ndjson') return chunks.map((chunk) => `${chunk}\n`);
  if (asArray && kind === 'gemini') return toArrayFrames(chunks, cut === true);
  // Some sources keep only the data lines of the chat protocol and leave its end mark out.
  const isShort = kind === 'chat' && recording.fidelity === 'data-lines' && chunks.at(-1) !== '[DONE]';
  return toEventFrames(isShort ? [...chunks, '[DONE]'] : chunks, recording.response, kind);
}

function toArrayFrames(chunks: readonly string[], isCut: boolean): readonly string[] {
  const elements = chunks.filter((chunk) => !chunk.startsWith(':'));
  if (elements.length === 0) return isCut ? [] : ['[]'];
  const last = elements.length - 1;
  return elements.map((element, at) => `${at === 0 ? '[' : ',\r\n'}${element}${at === last && !isCut ? ']' : ''}`);
}

function toEventFrames(chunks: readonly string[], { sse }: RecordingResponse, kind: string | null): readonly string[] {
  const end = sse?.eol === 'crlf' || (kind === 'gemini' && sse?.eol !== 'lf') ? '\r\n' : '\n';
  return chunks.map((chunk, at) => {
    if (chunk.startsWith(':')) return `${chunk}${end}${end}`;
    const name = sse?.event_lines !== true ? null : sse.events === undefined ? typeOf(chunk) : sse.events[at];
    const head = name === null || name === undefined ? '' : `event: ${name}${end}`;
    const data = chunk.split('\n').map((line) => `data: ${line}${end}`);
    return `${head}${data.join('')}${end}`;
  });
}

/** The name that the event line of this payload has when nothing else is noted. */
export function typeOf(chunk: string): string | null {
  const value = parseJson(chunk);
  if (typeof value !== 'object' || value === null) return null;
  const { type, event_type: eventType }: { type?: unknown; event_type?: unknown } = value;
  const name = type ?? eventType;
  return typeof name === 'string' ? name : null;
}
