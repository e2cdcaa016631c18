import { GatewayError } from '../../model/errors.ts';
import { faultKindOf } from '../../translate/cascade/map-cascade-error.ts';
import type { CascadeUpdates } from './agent-server.ts';
import type { ConnectClient } from './connect-client.ts';
import { transportCode } from './retry-reading.ts';

export interface CascadeUpdatesOptions {
  readonly cascadeId: string;
  readonly fromStep: number;
  readonly connect: Pick<ConnectClient, 'stream'>;
  readonly heartbeat: (signal: AbortSignal) => Promise<boolean>;
  /** Streams this agent server does not serve, by method; shared by all its cascades, and added to. */
  readonly deadStreams: Set<string>;
  readonly newId: (prefix: string) => string;
  readonly clock: Clock;
}

export interface Clock {
  /** Unix milliseconds. */
  readonly now: () => number;
  /** Rejects when the signal aborts. */
  readonly wait: (milliseconds: number, signal: AbortSignal) => Promise<void>;
  /** [0, 1). */
  readonly random: () => number;
}

interface Subscription {
  readonly cascadeId: string;
  readonly subscriberId: string;
  readonly fromStep: number;
}

interface StreamKind {
  readonly method: string;
  readonly toMessage: (subscription: Subscription) => object;
}

/** In the order in which they are tried (backends.md A.2, 5). */
const streamKinds: readonly StreamKind[] = [
  {
    method: 'StreamAgentStateUpdates',
    toMessage: ({ cascadeId, subscriberId, fromStep }) => ({
      conversationId: cascadeId,
      subscriberId,
      trajectoryVerbosity: 'CLIENT_TRAJECTORY_VERBOSITY_FULL',
      initialStepsPageBounds: { startIndex: fromStep },
    }),
  },
  {
    method: 'StreamCascadeReactiveUpdates',
    toMessage: ({ cascadeId, subscriberId }) => ({ protocolVersion: 1, id: cascadeId, subscriberId }),
  },
];

/** Beside a stream that has shown signs of life. */
const safetyMs = 500;
const pollMs = { from: 150, to: 250, late: 1000 };
const pollsSlowlyAfterMs = 30_000;
/** A stream that is closed twice within this time is not meant for us. */
const quickCloseMs = 3000;
const reopenMs = { closed: 100, unreachable: 1000 };
/** A stream that has been silent for so long is asked after. */
const silenceMs = 15_000;

/**
 * How a stream ended. `closed`: by the server, or broken; `dead`: the server does not serve this kind; `gone`: it does not know the cascade; `unreachable`: it could not be
 * asked, which says nothing about the stream.
 */
type StreamEnding = 'closed' | 'dead' | 'gone' | 'unreachable';

/**
 * "Something changed" for one cascade, from when it is created until it is closed. Frames are notifications only, and always drained: a server that nobody listens to may
 * stall. A kind of stream that the server does not serve is given up for all its cascades; without any, `next` is a clock for polling.
 */
export class WatchedCascade implements CascadeUpdates {
  /** Resolves when a stream is accepted, or none ever will be. */
  readonly settled: Promise<void>;
  readonly #options: CascadeUpdatesOptions;
  readonly #startedAt: number;
  readonly #closing = new AbortController();
  #settle: () => void = () => undefined;
  #notify: () => void = () => undefined;
  #waiting: Promise<void> | null = null;
  #hasChanged = false;
  #isLive = false;
  /** Reads that brought frames. */
  #frameReads = 0;

  constructor(options: CascadeUpdatesOptions) {
    this.#options = options;
    this.#startedAt = options.clock.now();
    this.settled = new Promise((resolve) => {
      this.#settle = resolve;
    });
    void this.#run();
  }

  next(): Promise<void> {
    this.#waiting ??= this.#untilChange().finally(() => {
      this.#waiting = null;
    });
    return this.#waiting;
  }

  wake(): void {
    this.#hasChanged = true;
    this.#notify();
  }

  close(): void {
    this.#closing.abort();
    this.wake();
    this.#settle();
  }

  async #untilChange(): Promise<void> {
    if (!this.#hasChanged && !this.#isClosed()) {
      const over = new AbortController();
      const changed = new Promise<void>((resolve) => {
        this.#notify = resolve;
      });
      await Promise.race([changed, this.#pause(this.#safetyTime(), over.signal)]);
      over.abort();
    }
    this.#hasChanged = false;
  }

  /** Until its first frame a stream may be one of those that never bring any: then it is as good as none. */
  #safetyTime(): number {
    if (this.#isLive) return safetyMs;
    const { now, random } = this.#options.clock;
    if (now() - this.#startedAt >= pollsSlowlyAfterMs) return pollMs.late;
    return pollMs.from + random() * (pollMs.to - pollMs.from);
  }

  async #run(): Promise<void> {
    for (const kind of streamKinds) {
      if (!(await this.#follow(kind))) break;
    }
    this.#settle();
  }

  /** Keeps a stream of this kind open. False when the next kind need not be tried: the watch is closed, or the cascade gone. */
  async #follow(kind: StreamKind): Promise<boolean> {
    const { deadStreams, clock } = this.#options;
    let closedAt = -Infinity;
    while (!deadStreams.has(kind.method)) {
      const ending = await this.#drain(kind);
      this.#isLive = false;
      if (this.#isClosed() || ending === 'gone') return false;
      const isQuick = ending === 'closed' && clock.now() - closedAt < quickCloseMs;
      if (ending === 'dead' || isQuick) {
        deadStreams.add(kind.method);
        return true;
      }
      if (ending === 'closed') closedAt = clock.now();
      await this.#pause(reopenMs[ending], this.#closing.signal);
      if (this.#isClosed()) return false;
    }
    return true;
  }

  /** One subscription, read to its end. */
  async #drain(kind: StreamKind): Promise<StreamEnding> {
    const { cascadeId, fromStep, connect, newId } = this.#options;
    const silent = new AbortController();
    const signal = AbortSignal.any([this.#closing.signal, silent.signal]);
    const message = kind.toMessage({ cascadeId, fromStep, subscriberId: newId('sub') });
    void this.#endWhenSilent(silent, signal);
    try {
      for await (const frames of connect.stream(kind.method, message, signal)) {
        this.#settle();
        if (frames.length > 0) this.#noteFrames();
      }
      return 'closed';
    } catch (error) {
      return mapEnding(error);
    } finally {
      silent.abort();
      this.wake();
    }
  }

  #noteFrames(): void {
    this.#isLive = true;
    this.#frameReads += 1;
    this.wake();
  }

  /** A long-polling stream has no time limit; a connection that is dead without anybody having said so is found by asking the server. */
  async #endWhenSilent(silent: AbortController, signal: AbortSignal): Promise<void> {
    for (;;) {
      const before = this.#frameReads;
      await this.#pause(silenceMs, signal);
      if (signal.aborted) return;
      const isAlive = this.#frameReads > before || (await this.#options.heartbeat(signal).catch(() => false));
      if (!isAlive) silent.abort();
    }
  }

  #isClosed(): boolean {
    return this.#closing.signal.aborted;
  }

  /** Waits; a signal that aborts only ends it. */
  async #pause(milliseconds: number, signal: AbortSignal): Promise<void> {
    await this.#options.clock.wait(milliseconds, signal).catch(() => undefined);
  }
}

function mapEnding(error: unknown): StreamEnding {
  switch (faultKindOf(error)) {
    case 'gone':
      return 'gone';
    // Credentials may become valid again.
    case 'csrf':
    case 'token':
    case 'forbidden':
      return 'unreachable';
    case 'busy':
    case 'rate':
    case 'quota':
    case 'overloaded':
    case 'unreachable':
    case 'timeout':
      return 'closed';
    case 'unserved':
    case 'model':
    case 'context':
    case 'refused':
    case 'range':
    case 'failed':
      return 'dead';
    case null:
      return mapBreak(error);
  }
}

function mapBreak(error: unknown): StreamEnding {
  if (!(error instanceof GatewayError)) return 'unreachable';
  switch (error.code) {
    case 'upstream_invalid_response':
      return 'dead';
    case 'upstream_truncated':
    case 'upstream_event_too_large':
      return 'closed';
    case 'upstream_unreachable':
      // An open stream that is closed before its status line looks like this.
      return ['UND_ERR_SOCKET', 'UND_ERR_INFO', 'ECONNRESET', 'EPIPE'].includes(transportCode(error)) ? 'closed' : 'unreachable';
    default:
      return 'unreachable';
  }
}
