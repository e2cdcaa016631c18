import type { IncomingHttpHeaders } from 'node:http';
import type { JsonObject } from '../../../src/lib/json.ts';
import type { LoopbackOptions } from './loopback-server.ts';

/** One chunk of an answer, in Gemini's words. */
export type GeminiChunk = JsonObject;

/** A call as the endpoint got it. Times are `performance.now()`. */
export interface GeminiCall {
  /** 0 for the first call of the endpoint. */
  readonly index: number;
  readonly method: string;
  /** With the query, as it came. */
  readonly path: string;
  readonly httpVersion: string;
  readonly headers: IncomingHttpHeaders;
  /** Decoded, of the URL; empty where the URL names none. */
  readonly model: string;
  /** `streamGenerateContent`, `generateContent`, `countTokens`; empty for lists. */
  readonly verb: string;
  /** The body's bytes as they came over the wire. */
  readonly raw: Buffer;
  /** The body, decompressed. */
  readonly text: string;
  /** The body as JSON; `{}` when it is none. */
  readonly body: JsonObject;
  readonly arrivedAt: number;
  readonly violations: readonly string[];
  /** Status of the answer, 0 before there is one. */
  readonly status: number;
  /** Chunks written so far. */
  readonly chunks: readonly GeminiChunk[];
  /** When the exchange was over, null before. */
  readonly closedAt: number | null;
  /** The client left before the answer was whole. */
  readonly wasAborted: boolean;
}

export interface ScriptedAnswer {
  /** Default 200. With an error status and without `body`: Google's error shape. */
  readonly status?: number;
  readonly headers?: Readonly<Record<string, string>>;
  /** These bytes exactly, in place of `chunks`. */
  readonly body?: string | Uint8Array;
  /** Framed as the call asked: SSE, JSON array, or merged into one body. */
  readonly chunks?: Iterable<GeminiChunk> | AsyncIterable<GeminiChunk>;
  /** The connection breaks after so many bytes of the body. */
  readonly cutAfterBytes?: number;
}

export interface GeminiModelOptions extends LoopbackOptions {
  /** Ids of `GET /models`. A call may name any model. */
  readonly models?: readonly string[];
  /** Decides about a call; undefined leaves it to the text's directions, or to the rehearsal backend. */
  readonly answer?: (call: GeminiCall) => ScriptedAnswer | undefined | Promise<ScriptedAnswer | undefined>;
  /** The first so many streamed calls are refused with that status. */
  readonly refuseFirst?: { readonly status: number; readonly times: number };
  /** Every answer's connection breaks after so many bytes of the body. */
  readonly cutAfterBytes?: number;
  /** Streamed answers send their head and then wait for `release()`. */
  readonly holds?: boolean;
  /** Milliseconds between two chunks. */
  readonly pauseMs?: number;
  /** `functionCall.id` is given (default true). */
  readonly callIds?: boolean;
  /** Google's documented dummy signatures are taken (default false). */
  readonly allowsSkipSignatures?: boolean;
  /**
   * Taken as Gemini takes it: the history of the official client's streamed chat, which has one content for each chunk and sends empty texts back (default false: a
   * translation joins what belongs together).
   */
  readonly takesStreamedHistory?: boolean;
  /** A request whose text matches is a violation: what must never reach a model. */
  readonly forbidden?: readonly RegExp[];
  /** Answers are compressed when the call accepts gzip. */
  readonly compresses?: boolean;
  /** False: `calls` stays empty, for long runs. */
  readonly keepsCalls?: boolean;
  /** Keys that `x-goog-api-key` may hold; absent: anything goes. */
  readonly apiKeys?: readonly string[];
}

export interface Violation {
  /** Of the call. */
  readonly index: number;
  readonly message: string;
}
