import { runUpstreamTurn } from '../../src/backends/upstream/run-upstream-turn.ts';
import { createUpstreamClient, type UpstreamClient, type UpstreamTimeouts } from '../../src/backends/upstream/upstream-client.ts';
import { GatewayError } from '../../src/model/errors.ts';
import type { ModelEvent } from '../../src/model/model-event.ts';
import { openRawUpstream, type RawRequest, type RawUpstream } from './raw-upstream.ts';
import { createWordStage, type WordStage } from './word-stage.ts';

interface TurnOutcome {
  readonly batches: readonly (readonly ModelEvent[])[];
  readonly events: readonly ModelEvent[];
  /** All text deltas together. */
  readonly text: string;
  /** Type of the last event, and the code where it is a failure. */
  readonly end: string | undefined;
  readonly error: unknown;
}

interface TurnSettings {
  readonly timeouts?: Partial<UpstreamTimeouts>;
  readonly settleGraceMs?: number;
  readonly maxEventBytes?: number;
  readonly signal?: AbortSignal;
  readonly stage?: WordStage;
  /** Sees each batch as it comes. */
  readonly onBatch?: (batch: readonly ModelEvent[]) => void;
}

/** Turns against raw servers, all closed together; those without timeouts of their own share one client. */
export interface TurnBench {
  serve(answer: (request: RawRequest) => void): Promise<RawUpstream>;
  /** One server for one turn. */
  turn(answer: (request: RawRequest) => void, settings?: TurnSettings): Promise<TurnOutcome>;
  turnAt(upstream: RawUpstream, settings?: TurnSettings): Promise<TurnOutcome>;
  close(): Promise<void>;
}

export function createTurnBench(): TurnBench {
  const open: { close(): Promise<unknown> }[] = [];
  let shared: UpstreamClient | undefined;

  async function serve(answer: (request: RawRequest) => void): Promise<RawUpstream> {
    const upstream = await openRawUpstream(answer);
    open.push(upstream);
    return upstream;
  }

  function openClient(timeouts: Partial<UpstreamTimeouts> = {}): UpstreamClient {
    const client = createUpstreamClient({ timeouts: { connectMs: 10_000, firstByteMs: 10_000, idleMs: 10_000, ...timeouts } });
    open.push(client);
    return client;
  }

  async function turnAt(upstream: RawUpstream, settings: TurnSettings = {}): Promise<TurnOutcome> {
    const client = settings.timeouts === undefined ? (shared ??= openClient()) : openClient(settings.timeouts);
    const turn = runUpstreamTurn({
      client,
      request: { method: 'POST', url: upstream.url, headers: {}, body: '{}' },
      stage: settings.stage ?? createWordStage(),
      mapError: ({ status, body }) => new GatewayError('upstream_error', `${String(status)} ${body}`),
      signal: settings.signal ?? new AbortController().signal,
      ...(settings.settleGraceMs !== undefined && { settleGraceMs: settings.settleGraceMs }),
      ...(settings.maxEventBytes !== undefined && { maxEventBytes: settings.maxEventBytes }),
    });
    const batches: (readonly ModelEvent[])[] = [];
    let error: unknown;
    try {
      for await (const batch of turn) {
        batches.push(batch);
        settings.onBatch?.(batch);
      }
    } catch (thrown) {
      error = thrown;
    }
    return describeOutcome(batches, error);
  }

  return {
    serve,
    turnAt,
    turn: async (answer, settings) => turnAt(await serve(answer), settings),
    async close() {
      shared = undefined;
      await Promise.all(open.splice(0).map((one) => one.close()));
    },
  };
}

function describeOutcome(batches: readonly (readonly ModelEvent[])[], error: unknown): TurnOutcome {
  const events = batches.flat();
  const last = events.at(-1);
  const text = events.map((event) => (event.type === 'text-delta' ? event.delta : '')).join('');
  return { batches, events, text, end: last?.type === 'failure' ? last.error.code : last?.type, error };
}
