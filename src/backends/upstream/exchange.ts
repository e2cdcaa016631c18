import type { Dispatcher } from 'undici';
import { GatewayError } from '../../model/errors.ts';
import { ByteQueue } from './byte-queue.ts';
import { createDecodingSink, isKnownEncoding, type ByteSink, type DecodingSink } from './decode-content.ts';
import { mapTransportError } from './map-transport-error.ts';
import type { UpstreamAnswer, UpstreamTimeouts } from './upstream-port.ts';

export interface ExchangeOptions {
  /** Scheme, host and port of the server, for messages. */
  readonly origin: string;
  /** The connection is not its concern. `Infinity`: as long as it takes. */
  readonly timeouts: Pick<UpstreamTimeouts, 'firstByteMs' | 'idleMs'>;
  readonly signal: AbortSignal;
}

/** Bytes that may wait for a slow reader; from there on the socket is not read. */
const capacity = 128 * 1024;

/**
 * One request and its answer, as the handler that undici calls. This level (below `request`, at the same cost) is taken for what `request` hides: the first byte of an
 * answer, which decides whether a request may be sent again, and the end of a read of the socket, so that what came together stays together.
 * At most one timer runs: until the status line, then one that is refreshed whenever the reader has to wait.
 */
export class Exchange implements Dispatcher.DispatchHandler {
  /** Settles with the status line; rejects with a GatewayError or the signal's reason. */
  readonly answer: Promise<UpstreamAnswer>;
  readonly #options: ExchangeOptions;
  readonly #queue: ByteQueue;
  #sink: ByteSink;
  #decoder: DecodingSink | null = null;
  #resolve: (answer: UpstreamAnswer) => void = () => undefined;
  #reject: (reason: unknown) => void = () => undefined;
  #controller: Dispatcher.DispatchController | null = null;
  #timer: NodeJS.Timeout | undefined;
  #state: 'waiting' | 'reading' | 'closed' = 'waiting';
  #sawBytes = false;
  #brokenBy: unknown;

  constructor(options: ExchangeOptions) {
    this.#options = options;
    this.#queue = new ByteQueue(capacity, {
      onWait: () => {
        this.#startIdleTimer();
      },
      onDrained: () => {
        if (this.#decoder === null) this.#controller?.resume();
        else this.#decoder.resume();
      },
      onStopped: () => {
        this.#stop(new Error('the reader stopped'));
      },
    });
    this.#sink = this.#queue;
    this.answer = new Promise((resolve, reject) => {
      this.#resolve = resolve;
      this.#reject = reject;
    });
    options.signal.addEventListener('abort', this.#onAbort);
  }

  /** What broke the connection before the first byte of an answer; undefined when bytes have come or the end was our doing. */
  get brokenUnanswered(): unknown {
    return this.#sawBytes ? undefined : this.#brokenBy;
  }

  /** There is a connection; undici writes the request when this returns. */
  onRequestStart(controller: Dispatcher.DispatchController): void {
    this.#controller = controller;
    if (this.#state === 'closed') {
      // The caller left while the connection was being made: nothing may be sent.
      controller.abort(new Error('the caller left'));
      return;
    }
    const { origin, timeouts } = this.#options;
    if (timeouts.firstByteMs === Infinity) return;
    this.#timer = setTimeout(() => {
      this.#stop(
        new GatewayError(
          'upstream_timeout',
          `${origin} did not begin to answer within ${timeouts.firstByteMs} ms (first byte timeout).`,
        ),
      );
    }, timeouts.firstByteMs);
  }

  /** undici calls this at the first byte of an answer. */
  onResponseStarted(): void {
    this.#sawBytes = true;
  }

  onResponseStart(
    _controller: Dispatcher.DispatchController,
    status: number,
    raw: Record<string, string | string[] | undefined>,
  ): void {
    if (status < 200 || this.#state === 'closed') return;
    clearTimeout(this.#timer);
    this.#timer = undefined;
    const headers = joinHeaders(raw);
    const encoding = (headers['content-encoding'] ?? 'identity').trim().toLowerCase();
    if (encoding !== 'identity' && encoding !== '' && !this.#openDecoder(encoding)) return;
    this.#state = 'reading';
    this.#resolve({ status, headers, body: this.#queue });
  }

  onResponseData(controller: Dispatcher.DispatchController, chunk: Uint8Array): void {
    if (!this.#sink.push(chunk)) controller.pause();
  }

  onResponseEnd(): void {
    this.#close();
    this.#sink.end();
  }

  onResponseError(_controller: Dispatcher.DispatchController, error: Error): void {
    if (this.#state === 'closed') return;
    const phase = this.#state;
    this.#brokenBy = error;
    this.#close();
    const mapped = mapTransportError(error, { origin: this.#options.origin, phase });
    if (phase === 'reading') this.#sink.fail(mapped);
    else this.#reject(mapped);
  }

  readonly #onAbort = (): void => {
    this.#stop(this.#options.signal.reason);
  };

  /** Ends the exchange from our side: the socket is destroyed at once, whoever waits gets `reason`. */
  #stop(reason: unknown): void {
    const state = this.#state;
    this.#close();
    this.#sink.cancel(reason);
    if (state === 'closed') return;
    this.#controller?.abort(new Error('stopped by us'));
    if (state === 'waiting') this.#reject(reason);
  }

  #close(): void {
    this.#state = 'closed';
    clearTimeout(this.#timer);
    this.#options.signal.removeEventListener('abort', this.#onAbort);
  }

  #startIdleTimer(): void {
    if (this.#state !== 'reading' || this.#options.timeouts.idleMs === Infinity) return;
    this.#timer = this.#timer?.refresh() ?? setTimeout(this.#onIdle, this.#options.timeouts.idleMs);
  }

  readonly #onIdle = (): void => {
    // While the reader is busy elsewhere silence is not the server's fault; the next wait starts the timer anew.
    if (!this.#queue.isAwaited) return;
    const { origin, timeouts } = this.#options;
    this.#stop(
      new GatewayError(
        'upstream_timeout',
        `${origin} sent nothing for ${timeouts.idleMs} ms in the middle of its answer (idle timeout).`,
      ),
    );
  };

  /** False when the encoding is unknown; the exchange is over then. */
  #openDecoder(encoding: string): boolean {
    const { origin } = this.#options;
    if (!isKnownEncoding(encoding)) {
      this.#stop(
        new GatewayError('upstream_invalid_response', `${origin} compressed its answer in a way that was not asked for.`),
      );
      return false;
    }
    this.#decoder = createDecodingSink(encoding, this.#queue, {
      onRoom: () => {
        this.#controller?.resume();
      },
      onCorrupt: (cause) => {
        this.#stop(new GatewayError('upstream_invalid_response', `The compressed answer of ${origin} is corrupt.`, { cause }));
      },
    });
    this.#sink = this.#decoder;
    return true;
  }
}

function joinHeaders(raw: Record<string, string | string[] | undefined>): Record<string, string> {
  const headers: Record<string, string> = {};
  for (const [name, value] of Object.entries(raw)) {
    if (value !== undefined) headers[name] = Array.isArray(value) ? value.join(', ') : value;
  }
  return headers;
}
