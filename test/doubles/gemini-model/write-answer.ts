import type { ServerResponse } from 'node:http';
import { setImmediate, setTimeout as sleep } from 'node:timers/promises';
import { constants, createGzip, type Gzip } from 'node:zlib';
import { isJsonObject, type JsonObject } from '../../../src/lib/json.ts';
import { CutError } from './directed-answer.ts';
import type { GeminiChunk, ScriptedAnswer } from './gemini-model-options.ts';
import { objectOf, objectsOf, textOf } from './gemini-words.ts';
import { breakOff } from './loopback-server.ts';

export type Framing = 'sse' | 'array' | 'whole';

export interface WriteOptions {
  readonly framing: Framing;
  readonly gzip: boolean;
  readonly pauseMs: number;
  /** After the head, before the first chunk. */
  readonly begin: () => Promise<void>;
  readonly onChunk: (chunk: GeminiChunk) => void;
  /** We break the answer off, not the client. */
  readonly onCut: () => void;
  readonly signal: AbortSignal;
}

/** Writes a scripted answer of status 200 in the framing the call asked for. A cut ends the connection, not the body. */
export async function writeChunks(response: ServerResponse, answer: ScriptedAnswer, options: WriteOptions): Promise<void> {
  const { framing } = options;
  const { gzip, onCut } = options;
  const out = new CuttableBody(response, { gzip, onCut, cutAfter: answer.cutAfterBytes });
  out.head(framing === 'sse' ? 'text/event-stream' : 'application/json; charset=UTF-8', answer.headers ?? {});
  if (framing !== 'whole') out.flushHead();
  try {
    await options.begin();
    const chunks = await writeAsTheyCome(out, answer.chunks ?? [], options);
    if (framing === 'whole') await out.write(JSON.stringify(mergeChunks(chunks)));
    if (framing === 'array') await out.write(chunks.length === 0 ? '[]' : ']');
    out.end();
  } catch (error) {
    out.cut();
    if (!(error instanceof CutError) && !options.signal.aborted) throw error;
  }
}

async function writeAsTheyCome(
  out: CuttableBody,
  chunks: NonNullable<ScriptedAnswer['chunks']>,
  { framing, pauseMs, onChunk, signal }: WriteOptions,
): Promise<readonly GeminiChunk[]> {
  const written: GeminiChunk[] = [];
  for await (const chunk of chunks) {
    if (signal.aborted || out.isCut) throw new CutError('cut');
    onChunk(chunk);
    if (framing !== 'whole') await out.write(frameOf(chunk, framing, written.length));
    written.push(chunk);
    // Each chunk is a write of its own, so that readers meet them one by one.
    if (pauseMs > 0) await sleep(pauseMs);
    else await setImmediate();
  }
  return written;
}

/** Google frames with CRLF. */
function frameOf(chunk: GeminiChunk, framing: 'sse' | 'array', index: number): string {
  const json = JSON.stringify(chunk);
  if (framing === 'sse') return `data: ${json}\r\n\r\n`;
  return index === 0 ? `[${json}` : `,\r\n${json}`;
}

/** A body that may end in the middle, plain or compressed. */
class CuttableBody {
  readonly #response: ServerResponse;
  readonly #gzip: Gzip | null;
  readonly #onCut: () => void;
  #left: number;
  isCut = false;

  constructor(response: ServerResponse, options: { gzip: boolean; onCut: () => void; cutAfter: number | undefined }) {
    this.#onCut = options.onCut;
    this.#response = response;
    this.#left = options.cutAfter ?? Infinity;
    this.#gzip = options.gzip ? createGzip() : null;
    this.#gzip?.on('data', (bytes: Buffer) => {
      this.#send(bytes);
    });
    this.#gzip?.on('end', () => {
      if (!this.isCut) response.end();
    });
  }

  head(type: string, headers: Readonly<Record<string, string>>): void {
    this.#response.writeHead(200, {
      'content-type': type,
      vary: 'Origin, X-Origin, Referer',
      ...(this.#gzip !== null && { 'content-encoding': 'gzip' }),
      ...headers,
    });
  }

  flushHead(): void {
    this.#response.flushHeaders();
  }

  /** Resolves when the bytes are on their way. */
  async write(text: string): Promise<void> {
    const gzip = this.#gzip;
    if (gzip === null) {
      this.#send(Buffer.from(text));
      return;
    }
    gzip.write(text);
    await new Promise<void>((resolve) => {
      gzip.flush(constants.Z_SYNC_FLUSH, resolve);
    });
  }

  end(): void {
    if (this.isCut) return;
    if (this.#gzip === null) this.#response.end();
    else this.#gzip.end();
  }

  cut(): void {
    if (this.isCut) return;
    this.isCut = true;
    if (!this.#response.destroyed) this.#onCut();
    // What was written before must arrive: only the end is missing.
    globalThis.setImmediate(() => {
      breakOff(this.#response);
    });
  }

  #send(bytes: Buffer): void {
    if (this.isCut) return;
    const room = bytes.subarray(0, this.#left);
    this.#left -= room.length;
    if (room.length > 0) this.#response.write(room);
    if (room.length < bytes.length) this.cut();
  }
}

/** The chunks of a stream as the one body of `generateContent`: neighbouring texts are one part, a signature on an empty text belongs to the text before it. */
function mergeChunks(chunks: readonly GeminiChunk[]): JsonObject {
  const failed = chunks.find((chunk) => isJsonObject(chunk['error']));
  if (failed !== undefined) return failed;
  const parts: Record<string, unknown>[] = [];
  let candidate: JsonObject = {};
  for (const chunk of chunks) {
    const [next] = objectsOf(chunk['candidates']);
    if (next === undefined) continue;
    candidate = { ...candidate, ...next };
    for (const part of objectsOf(objectOf(next['content'])['parts'])) appendPart(parts, part);
  }
  return { ...chunks.at(-1), candidates: [{ ...candidate, content: { role: 'model', parts } }] };
}

function appendPart(parts: Record<string, unknown>[], part: JsonObject): void {
  const last = parts.at(-1);
  const joins =
    last !== undefined &&
    typeof last['text'] === 'string' &&
    typeof part['text'] === 'string' &&
    last['thought'] === part['thought'];
  if (!joins || last['thoughtSignature'] !== undefined) parts.push({ ...part });
  else Object.assign(last, part, { text: textOf(last['text']) + textOf(part['text']) });
}
