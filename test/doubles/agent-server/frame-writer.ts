import type { ServerResponse } from 'node:http';
import { setImmediate } from 'node:timers/promises';
import type { JsonObject } from '../../../src/lib/json.ts';
import { breakOff } from '../gemini-model/loopback-server.ts';
import { encodeEnvelope } from './connect-wire.ts';

/** Writes Connect frames in order. With `splits` they leave in pieces, cut also inside their heads, and over the border of two frames. */
export class FrameWriter {
  readonly #response: ServerResponse;
  readonly #splits: boolean;
  #writing: Promise<void> = Promise.resolve();
  #isOver = false;

  constructor(response: ServerResponse, splits: boolean) {
    this.#response = response;
    this.#splits = splits;
    response.writeHead(200, { 'content-type': 'application/connect+json' });
    response.flushHeaders();
  }

  get isOver(): boolean {
    return this.#isOver;
  }

  write(message: JsonObject): void {
    if (!this.#isOver) this.#queue(encodeEnvelope(message));
  }

  /** The end frame, with an error or without. */
  end(error?: { readonly code: string; readonly message: string }): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#queue(encodeEnvelope(error === undefined ? {} : { error }, true));
    this.#writing = this.#writing.then(() => {
      this.#response.end();
    });
  }

  /** Ends the body without an end frame. */
  endAbruptly(): void {
    this.#isOver = true;
    this.#writing = this.#writing.then(() => {
      this.#response.end();
    });
  }

  breakOff(): void {
    this.#isOver = true;
    breakOff(this.#response);
  }

  #queue(bytes: Buffer): void {
    this.#writing = this.#writing.then(async () => {
      if (!this.#splits) {
        this.#response.write(bytes);
        return;
      }
      for (const piece of cut(bytes)) {
        this.#response.write(piece);
        await setImmediate();
      }
    });
  }
}

/** The head in two, the payload in pieces of growing size. */
function cut(bytes: Buffer): Buffer[] {
  const pieces: Buffer[] = [];
  let size = 3;
  for (let at = 0; at < bytes.length; at += pieces.at(-1)?.length ?? 1) {
    pieces.push(bytes.subarray(at, at + size));
    size = size * 2 + 1;
  }
  return pieces;
}
