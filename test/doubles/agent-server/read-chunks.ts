import { pipeline, type Readable } from 'node:stream';
import { createBrotliDecompress, createGunzip } from 'node:zlib';
import { isJsonObject, parseJson, type JsonObject } from '../../../src/lib/json.ts';
import type { ModelHttpResponse } from './model-http.ts';

/** The body, decompressed. A break in it is an error of the result. */
export function decodedBody({ headers, body }: ModelHttpResponse): Readable {
  const encoding = headers['content-encoding'];
  if (encoding !== 'gzip' && encoding !== 'br') return body;
  const decoder = encoding === 'gzip' ? createGunzip() : createBrotliDecompress();
  return pipeline(body, decoder, () => undefined);
}

/** Chunks of an event stream, a JSON array or one JSON body, as they arrive. */
export async function* readChunks(response: ModelHttpResponse): AsyncGenerator<JsonObject> {
  const isEvents = (response.headers['content-type'] ?? '').startsWith('text/event-stream');
  const take = isEvents ? takeEvents : takeObjects;
  const decoder = new TextDecoder();
  let text = '';
  for await (const bytes of decodedBody(response)) {
    text += decoder.decode(bytes as Buffer, { stream: true });
    const taken = take(text);
    text = taken.rest;
    yield* taken.chunks;
  }
}

interface Taken {
  readonly chunks: JsonObject[];
  readonly rest: string;
}

/** Only `data` lines count; Google frames with CRLF, others with LF. */
function takeEvents(text: string): Taken {
  const frames = text.split(/\r?\n\r?\n/);
  const rest = frames.pop() ?? '';
  const chunks = frames.flatMap((frame) => {
    const lines = frame.split(/\r?\n/).filter((line) => line.startsWith('data:'));
    return toChunk(lines.map((line) => line.slice(5)).join('\n'));
  });
  return { chunks, rest };
}

/** Whole objects of the outermost level; what is around them (brackets, commas, white space) is skipped. */
function takeObjects(text: string): Taken {
  const chunks: JsonObject[] = [];
  let rest = text;
  for (let end = objectEnd(rest); end > 0; end = objectEnd(rest)) {
    chunks.push(...toChunk(rest.slice(rest.indexOf('{'), end)));
    rest = rest.slice(end);
  }
  return { chunks, rest };
}

/** Where the first object ends; 0 when it is not whole yet. */
function objectEnd(text: string): number {
  let depth = 0;
  for (const { 0: token, index } of text.matchAll(/"(?:[^"\\]|\\.)*(?:"|\\?$)|[{}]/gs)) {
    if (token === '{') depth += 1;
    if (token === '}') depth -= 1;
    if (token === '}' && depth === 0) return index + 1;
  }
  return 0;
}

function toChunk(text: string): JsonObject[] {
  const value = parseJson(text);
  return isJsonObject(value) ? [value] : [];
}
