import type { JsonObject } from '../../../src/lib/json.ts';
import type { Changes } from '../gemini-model/changes.ts';
import type {
  AgentModelEntry,
  AgentServerOptions,
  AnsweredInteraction,
  LoggedModelCall,
  LoggedRpc,
} from './agent-server-options.ts';
import type { Cascade } from './cascade.ts';
import { RpcError } from './connect-wire.ts';
import type { ModelHttp } from './model-http.ts';
import type { AgentQuirks } from './quirks.ts';

/** Everything one agent server knows. */
export interface ServerState {
  readonly options: AgentServerOptions;
  quirks: AgentQuirks;
  tokens: readonly string[] | null;
  readonly models: readonly AgentModelEntry[];
  modelHttp: ModelHttp;
  readonly cascades: Map<string, Cascade>;
  /** Cascades on disk that a restart unloaded. */
  readonly unloaded: Map<string, Cascade>;
  /** Runs that go on, and thinking summaries behind them. */
  readonly runs: Set<AbortController>;
  /** Open streams by subscriber id: how each is ended when another one takes its id. */
  readonly subscribers: Map<string, () => void>;
  readonly rpcCounts: Map<string, number>;
  readonly log: (LoggedRpc | LoggedModelCall)[];
  readonly cancelled: { readonly cascadeId: string; readonly at: number }[];
  readonly interactions: AnsweredInteraction[];
  unauthorized: number;
  readonly changes: Changes;
}

/** Models of the usual catalogue: two that work, one that is switched off. */
export const usualModels: readonly AgentModelEntry[] = [
  { modelId: 'gemini-3-pro', label: 'Gemini 3 Pro (High)', enumName: 'MODEL_PLACEHOLDER_M11', geminiModel: 'gemini-3-pro' },
  { modelId: 'gemini-3-flash', label: 'Gemini 3 Flash', enumName: 'MODEL_PLACEHOLDER_M12', geminiModel: 'gemini-3-flash' },
  {
    modelId: 'gemini-2.5-pro',
    label: 'Gemini 2.5 Pro',
    enumName: 'MODEL_PLACEHOLDER_M9',
    geminiModel: 'gemini-2.5-pro',
    disabled: true,
  },
];

/** The small model that titles, checkpoints and summaries are made with; not in the catalogue. */
export const helperModel = { enumName: 'MODEL_PLACEHOLDER_M50', geminiModel: 'gemini-2.5-flash-lite' } as const;

/** Throws the real server's words for a cascade that is not there. */
export function findCascade(state: ServerState, cascadeId: unknown): Cascade {
  const id = typeof cascadeId === 'string' ? cascadeId : '';
  const cascade = state.cascades.get(id);
  if (cascade === undefined) throw new RpcError('unknown', `trajectory not found: ${id}`);
  return cascade;
}

/** The entry of an enum name or uid. Throws what the real server says where none is named, or none is known. */
export function findModel(state: ServerState, plannerConfig: JsonObject): AgentModelEntry {
  const requested = plannerConfig['requestedModel'];
  const nested = typeof requested === 'object' && requested !== null ? (requested as JsonObject)['model'] : undefined;
  const name = plannerConfig['planModel'] ?? nested ?? plannerConfig['requestedModelUid'];
  if (name === undefined) throw new RpcError('unknown', 'neither PlanModel nor RequestedModel specified');
  const entry = state.models.find(({ enumName, modelId }) => enumName === name || modelId === name);
  if (entry === undefined || entry.disabled === true) throw new RpcError('unknown', 'model not found');
  return entry;
}
