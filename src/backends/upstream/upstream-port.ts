/** Budgets in milliseconds. All end in `upstream_timeout` (a stalled TLS handshake in `upstream_tls_error`). */
export interface UpstreamTimeouts {
  /** From the first look-up of the name to a connection that can carry a request. */
  readonly connectMs: number;
  /** From sending the request to the status line. */
  readonly firstByteMs: number;
  /** Silence inside the answer while somebody waits for more. */
  readonly idleMs: number;
}

export interface UpstreamRequest {
  readonly method: 'GET' | 'POST';
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: string | Uint8Array;
  /** For calls whose answer is due sooner than the client's budget says. */
  readonly firstByteMs?: number;
  /** It must not be served twice: it goes over a connection of its own, which cannot have been closed just now, and is never sent again. */
  readonly isOnce?: boolean;
  /** A stream that may be silent for as long as it likes, before its status line too: of the budgets only `connectMs` counts. */
  readonly isLongPoll?: boolean;
}

export interface UpstreamAnswer {
  readonly status: number;
  /** Names in lower case; a repeated header is joined with `, `. */
  readonly headers: Readonly<Record<string, string>>;
  /**
   * The decompressed body; one element is what one read of the socket brought. Throws a GatewayError after everything that arrived has been read, or the signal's
   * reason at once. It must be read to its end or stopped (`return`, leaving a `for await`), which destroys the socket.
   */
  readonly body: AsyncIterable<Uint8Array>;
}

/** The door to model servers. */
export interface UpstreamClient {
  /**
   * Sends one request. Redirects are not followed: their status is the answer. Rejects with a GatewayError, or with the signal's reason when it aborts; the socket is
   * destroyed at once then, also while the body is being read. A request that met a kept-alive connection just closed by the server is sent once more, unless it `isOnce`.
   */
  send(request: UpstreamRequest, signal: AbortSignal): Promise<UpstreamAnswer>;
  /** Closes idle connections; running exchanges go on to their end. */
  close(): Promise<void>;
}
