import type { IncomingHttpHeaders } from 'node:http';
import type { JsonObject } from '../../../src/lib/json.ts';
import type { LoopbackOptions } from '../gemini-model/loopback-server.ts';
import type { AgentQuirks } from './quirks.ts';

/** One model the agent server offers. */
export interface AgentModelEntry {
  readonly modelId: string;
  readonly label: string;
  /** `MODEL_PLACEHOLDER_M11` */
  readonly enumName: string;
  readonly disabled?: boolean;
  /** The id in the URL of model calls. */
  readonly geminiModel: string;
}

export interface ProxySettings {
  /** `http://127.0.0.1:4711`, with or without `user:pass@`. */
  readonly url: string;
  /** `user:pass` */
  readonly credential?: string;
  /** PEM file of the authority whose certificates the proxy shows in place of the model API's. */
  readonly caFile?: string;
}

/** How model calls get to the model API. */
export interface ModelWay {
  /** Base URL of the Gemini-format endpoint, or of a reverse tap in front of it. */
  readonly modelUrl: string;
  /** Calls go through CONNECT and TLS. */
  readonly proxy?: ProxySettings;
  /** PEM file of the endpoint's authority, where there is no proxy. */
  readonly modelCaFile?: string;
  /** Speaks h2 to the model API where it is offered (default true). */
  readonly modelH2?: boolean;
}

export interface AgentServerOptions extends LoopbackOptions, ModelWay {
  /** Headers of every model call, credentials for example. */
  readonly modelHeaders?: Readonly<Record<string, string>>;
  /** Framing of main calls: `?alt=sse`, or the JSON array without it. */
  readonly framing?: 'sse' | 'array';
  /** Request bodies of model calls are compressed. */
  readonly gzipRequests?: boolean;
  /** `accept-encoding` of model calls; default `gzip, br`. */
  readonly acceptEncoding?: string;
  /** Value that `x-codeium-csrf-token` must have. */
  readonly csrf?: string;
  /** Bearer tokens that are accepted; absent: none is needed. */
  readonly tokens?: readonly string[];
  readonly models?: readonly AgentModelEntry[];
  readonly quirks?: Partial<AgentQuirks>;
  /** What the own tools find: name → text. */
  readonly notes?: Readonly<Record<string, string>>;
  /** Decides about a call before it is carried out. `count` is 1 for the first call of that method. */
  readonly onRpc?: (rpc: { readonly method: string; readonly body: JsonObject; readonly count: number }) => RpcFault | undefined;
  /** False: `requests` stays empty, for long runs. */
  readonly keepsLog?: boolean;
}

/** An error; an answer that never comes; a connection that breaks; or a late answer. */
export type RpcFault =
  { readonly code: string; readonly message: string; readonly status?: number } | 'hang' | 'close' | { readonly delayMs: number };

/** A call the agent server got. Times are `performance.now()`. */
export interface LoggedRpc {
  readonly type: 'rpc';
  readonly method: string;
  readonly headers: IncomingHttpHeaders;
  readonly body: JsonObject;
  readonly at: number;
  /** 0 before the answer. Streams have 200 also when they fail. */
  status: number;
}

/** A model call the agent server made. */
export interface LoggedModelCall {
  readonly type: 'model';
  readonly cascadeId: string;
  readonly purpose: ModelCallPurpose;
  readonly model: string;
  readonly path: string;
  readonly body: JsonObject;
  readonly at: number;
  /** 0 before the answer, or without one. */
  status: number;
  /** Chunks of the answer so far. */
  readonly chunks: JsonObject[];
  /** Null while it runs. */
  outcome: 'done' | 'refused' | 'cut' | 'cancelled' | null;
}

export type ModelCallPurpose = 'main' | 'title' | 'checkpoint' | 'thinking';

/** What was answered to a WAITING step. */
export interface AnsweredInteraction {
  readonly cascadeId: string;
  readonly stepIndex: number;
  readonly allow: boolean;
}

export interface RestartOptions {
  /** Cascades are lost (default); else LoadTrajectory brings them back. */
  readonly forgets?: boolean;
  /** Open connections break (default true). */
  readonly dropsConnections?: boolean;
}

/** What can be seen of a cascade from outside. */
export interface CascadeView {
  readonly cascadeId: string;
  readonly trajectoryId: string;
  /** `IDLE`, `RUNNING` … */
  readonly status: string;
  readonly stepCount: number;
  /** The history as the model gets it. */
  readonly contents: readonly JsonObject[];
  readonly annotations: JsonObject;
}

export interface AgentServerDouble {
  readonly url: string;
  readonly port: number;
  /** PEM file of the self-signed certificate, or null. */
  readonly caFile: string | null;
  readonly connections: number;
  readonly requests: readonly (LoggedRpc | LoggedModelCall)[];
  readonly modelCalls: readonly LoggedModelCall[];
  /** Bodies of all calls of that method, in order. */
  bodiesOf(method: string): readonly JsonObject[];
  /** CancelCascadeInvocation of a cascade that was there, in order. */
  readonly cancelled: readonly { readonly cascadeId: string; readonly at: number }[];
  readonly interactions: readonly AnsweredInteraction[];
  /** Calls that were refused for their token. */
  readonly unauthorized: number;
  /** All cascades that were not deleted or lost. */
  cascades(): readonly CascadeView[];
  setTokens(tokens: readonly string[] | null): void;
  setQuirks(quirks: Partial<AgentQuirks>): void;
  /** From now on, for whoever had to know where this server is before it knew where its model is. */
  setModelWay(way: ModelWay): void;
  /** As if the process had been started again. */
  restart(options?: RestartOptions): void;
  /** As if the process had ended: its cascades are lost, its connections break, new ones are refused. Resolves with what starts it again at the same address. */
  leave(): Promise<() => Promise<void>>;
  /** Resolves when the condition holds; it is asked whenever anything happens here. */
  until(isReached: () => boolean): Promise<void>;
  close(): Promise<void>;
}
