import type { JsonObject } from '../../lib/json.ts';

/** How a run of the agent stands: `CASCADE_RUN_STATUS_*` without the prefix; `UNKNOWN` for what nobody knows (backends.md A.2, 4). */
export type RunStatus = 'UNSPECIFIED' | 'IDLE' | 'RUNNING' | 'CANCELING' | 'BUSY' | 'ERROR' | 'INACTIVE' | 'UNKNOWN';

export interface Trajectory {
  readonly status: RunStatus;
  /** How many steps there are; 0 when the server does not say. */
  readonly totalSteps: number;
  /** How many of them, from the first on, stood in the answer: maybe a first page only. */
  readonly listedSteps: number;
  readonly trajectoryId: string | null;
  /** `generatorMetadata` as it came: usage of each model call. */
  readonly generatorMetadata: readonly unknown[];
}

export interface UserMessage {
  readonly cascadeId: string;
  readonly text: string;
  readonly media: readonly { readonly mimeType: string; readonly inlineData: string; readonly displayName?: string }[];
  /** The server's enum (or uid) of the model. */
  readonly model: string;
  /** Settings of `plannerConfig` besides the model: `{ maxOutputTokens: 1000 }`. */
  readonly planner: JsonObject;
  /** `customAgentSpec`, or null. */
  readonly agentSpec: JsonObject | null;
}

export interface AgentModel {
  /** Public id. */
  readonly id: string;
  /** The server's enum, or its uid. */
  readonly enumName: string;
  readonly label: string | null;
}

/** A source of "something changed" for one cascade: streams where the server has them, else polling. Never says what changed. */
export interface CascadeUpdates {
  /** Resolves at the next change, at the latest after the safety time (500 ms beside a stream, 150–250 ms without one, up to 1 s after 30 s). Changes that came meanwhile resolve at once. */
  next(): Promise<void>;
  /** As if something had changed: wakes `next`. */
  wake(): void;
  close(): void;
}

/**
 * The agent server's calls (backends.md A.2). All throw GatewayError; `isCascadeGone` tells a trajectory that is not there (any more). Every call carries the CSRF header and the token; after a 401 the token is
 * refreshed once (single flight) and the call repeated. Signals break the call off.
 */
export interface AgentServer {
  /** StartCascade, then UpdateConversationAnnotations once (whose failure is not one). The new cascade's id. */
  startCascade(options: { readonly model: string; readonly agentSpec: JsonObject | null }, signal: AbortSignal): Promise<string>;
  /** SendUserCascadeMessage; a busy executor is asked again with growing pauses (about 8 times). Resolves when the message is accepted. */
  sendMessage(message: UserMessage, signal: AbortSignal): Promise<void>;
  readTrajectory(cascadeId: string, signal: AbortSignal): Promise<Trajectory>;
  /**
   * All steps from that index on, page by page, until `totalSteps` (0 or left out: unknown) are read or a page is empty; a null entry keeps its place. Nothing behind `totalSteps` is asked
   * for: some servers answer that with their last page, or with an error.
   */
  readSteps(cascadeId: string, fromStep: number, signal: AbortSignal, totalSteps?: number): Promise<readonly unknown[]>;
  /** Subscribes before a message is sent. Streams are drained until closed. */
  watchCascade(cascadeId: string, fromStep: number): CascadeUpdates;
  /** HandleCascadeUserInteraction with `permission.allow: false`. */
  declineInteraction(
    place: { readonly cascadeId: string; readonly trajectoryId: string; readonly stepIndex: number },
    signal: AbortSignal,
  ): Promise<void>;
  /** CancelCascadeInvocation: sent at once, not bound to any request's signal, never throws; resolves when answered or given up (about 5 s). */
  cancelRun(cascadeId: string): Promise<void>;
  /** DeleteCascadeTrajectory. */
  removeCascade(cascadeId: string, signal: AbortSignal): Promise<void>;
  /** Hides a cascade nobody will go on with (annotation `archived`); never throws. */
  archiveCascade(cascadeId: string): Promise<void>;
  /**
   * GetCascadeModelConfigData, else GetAvailableModels, with the configured models on top; disabled ones are left out. Kept for a minute; `mayBeOld`: for ten, while a new list is
   * fetched for the next who asks.
   */
  listModels(signal: AbortSignal, mayBeOld?: boolean): Promise<readonly AgentModel[]>;
  /** Whether the server answers and takes our credentials (Heartbeat, within 5 s). Throws only the signal's reason. */
  heartbeat(signal: AbortSignal): Promise<boolean>;
  /** What of the server's words may be shown: one line without our credentials; null when nothing is left. */
  cleanText(text: string): string | null;
  close(): Promise<void>;
}
