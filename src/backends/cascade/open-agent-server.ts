import type { JsonObject } from '../../lib/json.ts';
import { GatewayError } from '../../model/errors.ts';
import type { Secret } from '../../model/secret.ts';
import { faultKindOf, isCascadeGone } from '../../translate/cascade/map-cascade-error.ts';
import { readList, readText } from '../../translate/cascade/read-proto.ts';
import { readTrajectory } from '../../translate/cascade/read-trajectory.ts';
import { toSendMessage, toStartCascade, type ModelField } from '../../translate/cascade/to-cascade-request.ts';
import type { AnnotateRequest } from '../../protocol/cascade/request.ts';
import type { UpstreamTimeouts } from '../upstream/upstream-client.ts';
import type { AgentModel, AgentServer, CascadeUpdates, Trajectory, UserMessage } from './agent-server.ts';
import { createCascadeModelList } from './cascade-model-list.ts';
import { WatchedCascade, type Clock } from './cascade-updates.ts';
import { openConnectClient, type ConnectClient } from './connect-client.ts';
import { readStepPages } from './read-step-pages.ts';
import { retryReading } from './retry-reading.ts';
import type { TokenSource } from './token-source.ts';

export interface AgentServerOptions extends Clock {
  /** The backend's name. */
  readonly name: string;
  /** Without a slash at the end. */
  readonly baseUrl: string;
  readonly csrfToken: Secret | null;
  readonly token: TokenSource | null;
  readonly headers: Readonly<Record<string, string>>;
  /** PEM file with authorities to trust in addition. */
  readonly caFile?: string;
  readonly timeouts: UpstreamTimeouts;
  /** Public id → the server's enum. */
  readonly models: ReadonlyMap<string, string>;
  readonly modelField: ModelField;
  readonly workspaceUris: readonly string[];
  readonly clientVersion?: string;
  readonly newId: (prefix: string) => string;
}

const sendTries = 8;
const busyPauseMs = 500;
/** Seconds a client should stay away when the server was busy all the time. */
const busyRetryAfter = 5;
/** For calls that only read: whoever takes longer has lost the question. */
const readingMs = 10_000;
/** For calls that nobody waits for, or whose outcome changes nothing. */
const quietMs = 5000;
/** How long a message waits for the subscription to its cascade; `known`: with a server that did not say the last time whether it had accepted one. */
const subscribeMs = { usual: 250, known: 50 };
/** How long a new cascade waits until it has been looked at. */
const lookMs = 1000;
/** Before a run is cancelled once more. */
const cancelPauseMs = 200;

/** The calls of one agent server, over kept connections. Must be closed. Throws when `caFile` cannot be read. */
export function openAgentServer(options: AgentServerOptions): AgentServer {
  return new ConnectedAgentServer(options);
}

class ConnectedAgentServer implements AgentServer {
  readonly #options: AgentServerOptions;
  readonly #connect: ConnectClient;
  readonly #closing = new AbortController();
  readonly #watched = new Set<{ readonly cascadeId: string; readonly updates: WatchedCascade }>();
  readonly #deadStreams = new Set<string>();
  /** Whether the last subscription was accepted before it had something to say. */
  #tellsAcceptance = true;
  readonly #models: (signal: AbortSignal, mayBeOld?: boolean) => Promise<readonly AgentModel[]>;

  constructor(options: AgentServerOptions) {
    const { name, models, now } = options;
    this.#options = options;
    this.#connect = openConnectClient({ ...options, backendName: name });
    this.#models = createCascadeModelList({
      call: (method, message) => this.#connect.call(method, message, this.#closing.signal, { firstByteMs: readingMs }),
      configured: models,
      now,
    });
  }

  async startCascade(
    { model, agentSpec }: { readonly model: string; readonly agentSpec: JsonObject | null },
    signal: AbortSignal,
  ): Promise<string> {
    const { name, modelField, workspaceUris } = this.#options;
    const body = toStartCascade({ model, modelField, workspaceUris, agentSpec });
    const cascadeId = readText((await this.#connect.call('StartCascade', body, signal))['cascadeId']);
    if (cascadeId === '') {
      throw new GatewayError(
        'upstream_invalid_response',
        `The agent server of the backend ${name} started a cascade without an id.`,
      );
    }
    // Some builds run nothing in a cascade that nobody has looked at.
    await this.#within(lookMs, signal, [this.#annotate(cascadeId, { lastUserViewTime: this.#timestamp() }, signal)]);
    return cascadeId;
  }

  async sendMessage(message: UserMessage, signal: AbortSignal): Promise<void> {
    await this.#untilSubscribed(message.cascadeId, signal);
    await this.#sendUntilAccepted(toSendMessage(message, this.#options.modelField), signal);
    void this.#annotate(message.cascadeId, { lastUserViewTime: this.#timestamp() });
  }

  async readTrajectory(cascadeId: string, signal: AbortSignal): Promise<Trajectory> {
    return readTrajectory(await this.#read('GetCascadeTrajectory', { cascadeId }, signal));
  }

  async readSteps(cascadeId: string, fromStep: number, signal: AbortSignal, totalSteps = 0): Promise<readonly unknown[]> {
    const readPage = async (stepOffset: number): Promise<readonly unknown[]> => {
      const body = { cascadeId, stepOffset, trajectoryVerbosity: 'CLIENT_TRAJECTORY_VERBOSITY_FULL' };
      return readList((await this.#read('GetCascadeTrajectorySteps', body, signal))['steps']);
    };
    const steps = await readStepPages({ readPage, fromStep, totalSteps });
    if (steps !== null) return steps;
    throw new GatewayError(
      'upstream_invalid_response',
      `The agent server of the backend ${this.#options.name} has no end of steps.`,
    );
  }

  watchCascade(cascadeId: string, fromStep: number): CascadeUpdates {
    const updates = new WatchedCascade({
      cascadeId,
      fromStep,
      connect: this.#connect,
      heartbeat: (signal) => this.heartbeat(signal),
      deadStreams: this.#deadStreams,
      newId: this.#options.newId,
      clock: this.#options,
    });
    const entry = { cascadeId, updates };
    this.#watched.add(entry);
    return {
      next: () => updates.next(),
      wake: () => {
        updates.wake();
      },
      close: () => {
        this.#watched.delete(entry);
        updates.close();
      },
    };
  }

  async declineInteraction(
    place: { readonly cascadeId: string; readonly trajectoryId: string; readonly stepIndex: number },
    signal: AbortSignal,
  ): Promise<void> {
    const { cascadeId, trajectoryId, stepIndex } = place;
    const interaction = { trajectoryId, stepIndex, permission: { allow: false } };
    await this.#connect.call('HandleCascadeUserInteraction', { cascadeId, interaction }, signal);
  }

  async cancelRun(cascadeId: string): Promise<void> {
    const kind = faultKindOf(await this.#callQuietly('CancelCascadeInvocation', { cascadeId }));
    if (kind !== 'failed' && kind !== 'overloaded') return;
    await this.#options.wait(cancelPauseMs, this.#closing.signal).catch(() => undefined);
    await this.#callQuietly('CancelCascadeInvocation', { cascadeId });
  }

  async removeCascade(cascadeId: string, signal: AbortSignal): Promise<void> {
    try {
      await this.#connect.call('DeleteCascadeTrajectory', { cascadeId }, signal);
    } catch (error) {
      if (!isCascadeGone(error)) throw error;
    }
  }

  async archiveCascade(cascadeId: string): Promise<void> {
    await this.#annotate(cascadeId, { archived: true });
  }

  async listModels(signal: AbortSignal, mayBeOld = false): Promise<readonly AgentModel[]> {
    return this.#models(signal, mayBeOld);
  }

  cleanText(text: string): string | null {
    return this.#connect.clean(text) ?? null;
  }

  async heartbeat(signal: AbortSignal): Promise<boolean> {
    const error = await this.#callQuietly('Heartbeat', {}, signal);
    signal.throwIfAborted();
    return error === null;
  }

  async close(): Promise<void> {
    this.#closing.abort();
    for (const { updates } of this.#watched) updates.close();
    this.#watched.clear();
    await this.#connect.close();
  }

  /** The server may run nothing, or stall, while nobody listens to the cascade (backends.md A.2.2). */
  async #untilSubscribed(cascadeId: string, signal: AbortSignal): Promise<void> {
    const open = [...this.#watched].filter((entry) => entry.cascadeId === cascadeId);
    if (open.length === 0) return;
    const settled = open.map(({ updates }) => updates.settled);
    const isSettled = await this.#within(this.#tellsAcceptance ? subscribeMs.usual : subscribeMs.known, signal, settled);
    this.#tellsAcceptance = isSettled;
  }

  /** Waits for the first of them, but not longer than that; whether one was in time. Throws the signal's reason when it aborts. */
  async #within(milliseconds: number, signal: AbortSignal, awaited: readonly Promise<unknown>[]): Promise<boolean> {
    const over = new AbortController();
    const limit = this.#options.wait(milliseconds, AbortSignal.any([signal, over.signal])).catch(() => undefined);
    const isInTime = await Promise.race([limit.then(() => false), ...awaited.map((one) => one.then(() => true))]);
    over.abort();
    signal.throwIfAborted();
    return isInTime;
  }

  async #sendUntilAccepted(body: object, signal: AbortSignal): Promise<void> {
    for (let tries = 1; ; tries++) {
      try {
        await this.#connect.call('SendUserCascadeMessage', body, signal, { isOnce: true });
        return;
      } catch (error) {
        if (faultKindOf(error) !== 'busy') throw error;
        if (tries === sendTries) throw stillBusy(GatewayError.from(error));
      }
      await this.#pause(busyPauseMs * tries, signal);
    }
  }

  /** A call that changes nothing and may therefore be repeated. */
  #read(method: string, body: object, signal: AbortSignal): Promise<JsonObject> {
    return retryReading(
      () => this.#connect.call(method, body, signal, { firstByteMs: readingMs }),
      (milliseconds) => this.#pause(milliseconds, signal),
    );
  }

  async #annotate(cascadeId: string, annotations: AnnotateRequest['annotations'], signal?: AbortSignal): Promise<void> {
    const body: AnnotateRequest = { cascadeIds: [cascadeId], annotations, mergeAnnotations: true };
    await this.#callQuietly('UpdateConversationAnnotations', body, signal);
  }

  /** A call within 5 s whose failure is not one: it is returned, null when there is none. */
  async #callQuietly(method: string, body: object, signal?: AbortSignal): Promise<unknown> {
    const limit = new AbortController();
    const over = new AbortController();
    void this.#options.wait(quietMs, over.signal).then(
      () => {
        limit.abort();
      },
      () => undefined,
    );
    try {
      await this.#connect.call(method, body, signal === undefined ? limit.signal : AbortSignal.any([signal, limit.signal]));
      return null;
    } catch (error) {
      return error;
    } finally {
      over.abort();
    }
  }

  /** Throws the signal's reason when it aborts. */
  async #pause(milliseconds: number, signal: AbortSignal): Promise<void> {
    await this.#options.wait(milliseconds, signal).catch(() => undefined);
    signal.throwIfAborted();
  }

  #timestamp(): string {
    return new Date(this.#options.now()).toISOString();
  }
}

function stillBusy(cause: GatewayError): GatewayError {
  return new GatewayError(cause.code, cause.message, { cause, retryAfter: busyRetryAfter });
}
