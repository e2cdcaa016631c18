import { channel } from 'node:diagnostics_channel';
import type { RouteAttempt } from '../engine/routing/route-report.ts';
import type { GatewayError } from '../model/errors.ts';
import type { Loss } from '../model/loss.ts';
import type { ResponseUsage } from '../protocol/responses/response.ts';

/** One HTTP request that is over. Holds no content and no secret: it may be logged as it is. */
export interface RequestReport {
  readonly requestId: string;
  readonly method: string;
  /** The route's pattern: `/v1/responses/:id`. */
  readonly route: string;
  /** HTTP status; 499 when the client left before there was one. */
  readonly status: number;
  readonly durationMs: number;
  /** Null unless it failed. Its `cause` is for the log only. */
  readonly error: GatewayError | null;
}

/** One response that was begun and is over, however it was delivered. */
export interface ResponseReport {
  readonly requestId: string;
  readonly responseId: string;
  /** `backend/model` that answered, or that was asked for when none did. */
  readonly model: string;
  /** Where the request was sent, in order, and what came of it. */
  readonly attempts: readonly RouteAttempt[];
  /** The model that answered, as its server names it; null when it did not say. */
  readonly servedModel: string | null;
  readonly stream: boolean;
  /** `completed`, `incomplete`, `failed`, or `gone` when the client left. */
  readonly outcome: string;
  readonly durationMs: number;
  /** Until the model server accepted the call. */
  readonly acceptedMs: number | null;
  readonly usage: ResponseUsage | null;
  readonly losses: readonly Loss[];
  readonly error: GatewayError | null;
}

/** Something that went wrong beside an answer: the client was not told. */
export interface TroubleReport {
  readonly requestId: string;
  /** What went wrong, in fixed words. */
  readonly trouble: string;
  readonly error: GatewayError;
}

/** Everybody who wants to log, count or show what the server does subscribes here. */
export const requestChannel = channel('antiphon:request');
export const responseChannel = channel('antiphon:response');
export const troubleChannel = channel('antiphon:trouble');

/** Told when one is over. */
export function reportRequest(report: RequestReport): void {
  if (requestChannel.hasSubscribers) requestChannel.publish(report);
}

/** Told when one is over. */
export function reportResponse(report: ResponseReport): void {
  if (responseChannel.hasSubscribers) responseChannel.publish(report);
}

/** Told at once. */
export function reportTrouble(report: TroubleReport): void {
  if (troubleChannel.hasSubscribers) troubleChannel.publish(report);
}
