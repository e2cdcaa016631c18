import { isJsonObject, parseJson } from '../../lib/json.ts';
import type { SecretBlanker } from './blank-secrets.ts';
import { blanked } from './blank-secrets.ts';
import type { CollectedBody, TimedPiece } from './body-collector.ts';
import { readRoute, type Route } from './read-route.ts';
import type { Recording, RecordingRequest, RecordingResponse } from './recording.ts';
import { toStreamedBody, toWholeBody, type ShownBody } from './to-response-body.ts';

/** An exchange that is over, as it was seen. Times in Unix milliseconds. */
export interface SeenExchange {
  readonly id: string;
  /** Of the recorder: what all exchanges of one run have in common. */
  readonly group: string;
  readonly begunAt: number;
  readonly method: string;
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  /** Decompressed. */
  readonly body: CollectedBody;
  /** Null: there was none. */
  readonly answer: SeenAnswer | null;
}

export interface SeenAnswer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly at: number;
  readonly endedAt: number;
  /** Decompressed. */
  readonly body: CollectedBody;
}

/** The line of a recording for one exchange. Secrets are taken out of every part of it. */
export function toRecording(seen: SeenExchange, blanker: SecretBlanker): Recording {
  const url = new URL(seen.url);
  const request = toRequest(seen, url, blanker);
  const route = readRoute(request.path, url.hostname, request.body);
  const response = seen.answer === null ? noAnswer : toResponse(seen, seen.answer, { route, path: request.path, blanker });
  const recordedAt = new Date(seen.begunAt).toISOString();
  return {
    id: seen.id,
    group: seen.group,
    source: 'antiphon-tap',
    provider: route.provider,
    vendor: route.vendor,
    model: route.model,
    fidelity: 'wire',
    edited: response.cut === true,
    recorded: recordedAt.slice(0, 10),
    recorded_at: recordedAt,
    stream: response.chunks !== undefined,
    stream_requested: route.streamRequested,
    features: featuresOf(request, response),
    request,
    response,
  };
}

const noAnswer: RecordingResponse = { status: 502, headers: {}, body_text: '', cut: true, unanswered: true };

function toRequest({ method, headers, body }: SeenExchange, url: URL, blanker: SecretBlanker): RecordingRequest {
  const path = blanker.blankPath(url.pathname + url.search);
  const head = { method, path, headers: withoutTransport(blanker.blankHeaders(headers)) };
  const text = toText(body);
  if (text === null) return { ...head, body: null, body_base64: toBase64(body.pieces, blanker) };
  const blankedText = blanker.blankText(text);
  const value = parseJson(blankedText);
  if (value !== undefined || text === '') return { ...head, body: value ?? null };
  return { ...head, body: null, body_text: blankedText };
}

interface AnswerContext {
  readonly route: Route;
  readonly path: string;
  readonly blanker: SecretBlanker;
}

function toResponse(seen: SeenExchange, answer: SeenAnswer, context: AnswerContext): RecordingResponse {
  const { status, headers, body, endedAt } = answer;
  const { pieces, isCut, note } = body;
  const text = toText(body);
  const since = (at: number): number => Math.max(0, Math.round(at - seen.begunAt));
  const shown = text === null ? { body_base64: toBase64(pieces, context.blanker) } : toBody(text, answer, context);
  const { ends, ...members }: ShownBody = shown;
  const chunkTimes = ends?.map((end) => since(arrivalOf(end, pieces) ?? endedAt));
  return {
    status,
    headers: toAnswerHeaders(headers, context.blanker),
    ...members,
    ...(isCut && { cut: true }),
    ...(note !== null && { note }),
    timing: {
      answer_ms: since(answer.at),
      ...(chunkTimes !== undefined && { chunks_ms: chunkTimes }),
      end_ms: since(endedAt),
    },
  };
}

function toBody(text: string, { status, headers, body }: SeenAnswer, { route, path, blanker }: AnswerContext): ShownBody {
  const framing = framingOf(text, { type: headerOf(headers, 'content-type'), route, status });
  const blankText = (part: string): string => blanker.blankText(part);
  if (framing === null) return toWholeBody(text, blankText);
  return toStreamedBody(text, { framing, isCut: body.isCut, path, blankText });
}

/** How a streamed answer is framed; null: it is one body. The content type is not believed alone: some servers send event streams as plain text. */
function framingOf(
  text: string,
  answer: { readonly type: string; readonly route: Route; readonly status: number },
): 'events' | 'json-array' | 'ndjson' | null {
  const { type, route, status } = answer;
  if (/ndjson|jsonl/i.test(type)) return 'ndjson';
  // An error to a streaming request is one body, whatever it calls itself.
  const beginsAsEvents = /^\uFEFF?\s*(?:data|event|id|retry|error)?:/.test(text);
  if (/event-stream/i.test(type) && !/^\s*[[{]/.test(text)) return 'events';
  if (!route.streamRequested || status >= 400) return null;
  if (beginsAsEvents) return 'events';
  if (route.kind === 'gemini' && /^\s*\[/.test(text)) return 'json-array';
  return null;
}

/** The value of a header whatever the case of its name; empty when there is none. */
export function headerOf(headers: Readonly<Record<string, string>>, name: string): string {
  return Object.entries(headers).find(([candidate]) => candidate.toLowerCase() === name)?.[1] ?? '';
}

/** Only what says something about the answer; everything that was blanked is left out, so that a replay does not send it. */
function toAnswerHeaders(headers: Readonly<Record<string, string>>, blanker: SecretBlanker): Record<string, string> {
  const shown = Object.entries(blanker.blankHeaders(headers)).filter(
    ([name, value]) => value !== blanked && name !== 'content-encoding',
  );
  return Object.fromEntries(shown);
}

/** What belongs to one connection, or tells a host, is no part of the recording. */
function withoutTransport(headers: Readonly<Record<string, string>>): Record<string, string> {
  const transport = /^(?::.*|host|connection|keep-alive|proxy-connection|te|trailer|transfer-encoding|upgrade|content-length)$/;
  return Object.fromEntries(Object.entries(headers).filter(([name]) => !transport.test(name)));
}

function featuresOf({ body }: RecordingRequest, { status, cut }: RecordingResponse): readonly string[] {
  const tools = isJsonObject(body) ? body['tools'] : undefined;
  return [
    ...(cut === true ? ['cut'] : []),
    ...(status >= 400 ? ['error'] : []),
    ...(Array.isArray(tools) && tools.length > 0 ? ['tools'] : []),
  ];
}

/** When the body was there up to this byte. */
function arrivalOf(end: number, pieces: readonly TimedPiece[]): number | undefined {
  let size = 0;
  return pieces.find(({ bytes }) => (size += bytes.length) >= end)?.at;
}

/** Null when it is no UTF-8. A character that was cut at the very end is left out. */
function toText({ pieces, isCut }: CollectedBody): string | null {
  const bytes = Buffer.concat(pieces.map((piece) => piece.bytes));
  const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });
  for (let missing = 0; missing <= (isCut ? 3 : 0); missing += 1) {
    try {
      return decoder.decode(bytes.subarray(0, bytes.length - missing));
    } catch {
      // Tried with one byte less.
    }
  }
  return null;
}

/** Byte for byte, but for secrets in it. */
function toBase64(pieces: readonly TimedPiece[], blanker: SecretBlanker): string {
  const text = Buffer.concat(pieces.map(({ bytes }) => bytes)).toString('latin1');
  return Buffer.from(blanker.blankText(text), 'latin1').toString('base64');
}
