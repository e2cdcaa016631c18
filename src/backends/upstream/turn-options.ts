import type { MapError } from './map-http-error.ts';
import type { TurnStage } from './turn-stage.ts';
import type { UpstreamClient, UpstreamRequest } from './upstream-client.ts';

export interface UpstreamTurnOptions {
  readonly client: UpstreamClient;
  readonly request: UpstreamRequest;
  readonly stage: TurnStage;
  /** What a status that is not 2xx means at this backend. */
  readonly mapError: MapError;
  readonly signal: AbortSignal;
  /** Milliseconds to wait for late usage once the stage has settled; 2000. */
  readonly settleGraceMs?: number;
  /** Cap of one event; 8 MiB. */
  readonly maxEventBytes?: number;
}

export const defaultGraceMs = 2000;
export const defaultEventBytes = 8 * 1024 * 1024;
