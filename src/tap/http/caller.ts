import { IncomingMessage, ServerResponse } from 'node:http';
import type { Http2ServerRequest, Http2ServerResponse } from 'node:http2';
import type { Readable, Writable } from 'node:stream';
import { TLSSocket } from 'node:tls';
import { findHeader, toHeaderList, withoutHopHeaders, type HeaderList } from './header-list.ts';

/** How a request says where its body ends. */
export type BodyFraming = 'none' | 'length' | 'chunked';

/** Who asks us, by HTTP/1.1 or HTTP/2: a request and the way back. */
export interface Caller {
  readonly method: string;
  /** The request target as it stands in the request. */
  readonly path: string;
  readonly headers: HeaderList;
  /** What `Host` or `:authority` says; undefined when it says nothing, or two things. */
  readonly host: string | undefined;
  readonly body: Readable;
  readonly framing: BodyFraming;
  /** Waits for our word before it sends its body. */
  readonly expectsContinue: boolean;
  /** Aborts when the caller leaves before its answer has ended. */
  readonly gone: AbortSignal;
  /** The answer has begun, or nobody wants one any more. */
  readonly hasBegun: boolean;
  /** The caller may send its body. */
  sendContinue(): void;
  /** The status line and headers, at once. Throws when they cannot be written. */
  begin(status: number, message: string, headers: HeaderList): void;
  /** More of the body. Resolves when there is room for more, or nobody to take it. */
  send(bytes: Uint8Array): Promise<void>;
  /** The answer is complete. */
  end(): void;
  /** The answer ends here although it is not complete, and the caller can tell. What was sent before still arrives. */
  break(): void;
}

export type NodeRequest = IncomingMessage | Http2ServerRequest;
export type NodeResponse = ServerResponse | Http2ServerResponse;

/** The caller behind a request of Node's HTTP server, of whichever version. */
export function createCaller(request: NodeRequest, response: NodeResponse, expectsContinue: boolean): Caller {
  if (request instanceof IncomingMessage && response instanceof ServerResponse)
    return new HttpCaller(request, toHttp1Way(request, response), expectsContinue);
  if (!(request instanceof IncomingMessage) && !(response instanceof ServerResponse))
    return new HttpCaller(request, toHttp2Way(request, response), expectsContinue);
  throw new Error('request and response are of different versions of HTTP');
}

/** What differs between the versions of HTTP. */
interface WayBack {
  readonly out: Writable;
  readonly framing: BodyFraming;
  readonly host: string | undefined;
  sendContinue(): void;
  begin(status: number, message: string, headers: HeaderList): void;
  break(): void;
}

class HttpCaller implements Caller {
  readonly method: string;
  readonly path: string;
  readonly headers: HeaderList;
  readonly host: string | undefined;
  readonly body: Readable;
  readonly framing: BodyFraming;
  readonly expectsContinue: boolean;
  readonly #way: WayBack;
  readonly #gone = new AbortController();
  #isOver = false;
  #hasBegun = false;
  #wakeSender: (() => void) | null = null;

  constructor(request: NodeRequest, way: WayBack, expectsContinue: boolean) {
    this.#way = way;
    this.method = request.method ?? '';
    this.path = request.url ?? '';
    this.headers = toHeaderList(request.rawHeaders);
    this.host = way.host;
    this.body = request;
    this.framing = way.framing;
    this.expectsContinue = expectsContinue;
    // Whatever breaks ends in `close`.
    request.on('error', () => undefined);
    way.out.on('error', () => undefined);
    way.out.on('drain', () => {
      this.#wake();
    });
    way.out.once('close', () => {
      if (!this.#isOver) this.#gone.abort(new Error('the caller has left'));
      this.#isOver = true;
      this.#wake();
    });
  }

  get gone(): AbortSignal {
    return this.#gone.signal;
  }

  get hasBegun(): boolean {
    return this.#hasBegun || this.#isOver;
  }

  sendContinue(): void {
    if (this.expectsContinue && !this.#isOver) this.#way.sendContinue();
  }

  begin(status: number, message: string, headers: HeaderList): void {
    if (this.#isOver) return;
    this.#way.begin(status, message, headers);
    this.#hasBegun = true;
  }

  async send(bytes: Uint8Array): Promise<void> {
    if (this.#isOver || bytes.length === 0 || this.#way.out.write(bytes)) return;
    await new Promise<void>((resolve) => {
      this.#wakeSender = resolve;
    });
  }

  end(): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#way.out.end();
  }

  break(): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#way.break();
    this.#wake();
  }

  #wake(): void {
    this.#wakeSender?.();
    this.#wakeSender = null;
  }
}

function toHttp1Way(request: IncomingMessage, response: ServerResponse): WayBack {
  const { headers, socket } = request;
  // An answer carries the date of its sender.
  response.sendDate = false;
  return {
    out: response,
    framing: headers['transfer-encoding'] !== undefined ? 'chunked' : lengthFraming(headers['content-length']),
    host: headers.host !== undefined && hasOneHost(request) ? headers.host : undefined,
    sendContinue() {
      response.writeContinue();
    },
    begin(status, message, list) {
      response.writeHead(status, message, list.flat());
      // Not flushHeaders: it writes the head as UTF-8, and a byte of another encoding would become two.
      response.write(new Uint8Array(0));
    },
    break() {
      // A body that ends with its connection must not end as if it were whole.
      const endsWithConnection = request.httpVersion === '1.0';
      if (!endsWithConnection) socket.destroySoon();
      else if (socket instanceof TLSSocket) socket.destroy();
      else socket.resetAndDestroy();
    },
  };
}

/** Of several ones Node shows the first, and the server behind us may look at another. */
function hasOneHost({ rawHeaders }: IncomingMessage): boolean {
  return rawHeaders.filter((name, at) => at % 2 === 0 && name.toLowerCase() === 'host').length === 1;
}

/**
 * Writes to the stream itself. What Node's `Http2ServerResponse` begins always waits for trailers, and a stream that is reset while it does can abort the whole process (Node 20:
 * `Http2Stream::OnTrailers`, assertion `!this->is_destroyed()`).
 */
function toHttp2Way(request: Http2ServerRequest, response: Http2ServerResponse): WayBack {
  const { headers, stream } = request;
  const named = findHeader(toHeaderList(request.rawHeaders), 'host');
  const authority = headers[':authority'];
  const isSure = authority === undefined || named === undefined || authority === named;
  return {
    out: stream,
    framing: stream.endAfterHeaders ? 'none' : lengthFraming(headers['content-length'], 'chunked'),
    host: isSure ? (authority ?? named) : undefined,
    sendContinue() {
      response.writeContinue();
    },
    begin(status, _message, list) {
      // An answer carries the date of its sender. Not in Node's types; its own response sets it so.
      const options = { endStream: false, sendDate: false };
      stream.respond({ ...toMultiMap(withoutHopHeaders(list)), ':status': status }, options);
    },
    break() {
      // Not `close`: it ends the body first, and the caller would see a whole answer. Destroyed by an error, a stream is reset (INTERNAL_ERROR) and nothing else.
      const reset = (): void => {
        stream.destroy(new Error('the answer broke off'));
      };
      // Behind what was written before, so that it still arrives.
      if (stream.headersSent) stream.write(new Uint8Array(0), reset);
      else reset();
    },
  };
}

function lengthFraming(contentLength: string | undefined, otherwise: BodyFraming = 'none'): BodyFraming {
  if (contentLength === undefined) return otherwise;
  return contentLength === '0' ? 'none' : 'length';
}

function toMultiMap(list: HeaderList): Record<string, string | string[]> {
  const map = new Map<string, string[]>();
  for (const [name, value] of list) map.set(name.toLowerCase(), [...(map.get(name.toLowerCase()) ?? []), value]);
  return Object.fromEntries([...map].map(([name, values]) => [name, values.length === 1 ? (values[0] ?? '') : values]));
}
