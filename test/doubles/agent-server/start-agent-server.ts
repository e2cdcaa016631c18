import type { JsonObject } from '../../../src/lib/json.ts';
import { createChanges } from '../gemini-model/changes.ts';
import { openLoopbackServer, type LoopbackServer } from '../gemini-model/loopback-server.ts';
import type { AgentServerDouble, AgentServerOptions, LoggedModelCall, RestartOptions } from './agent-server-options.ts';
import { openModelHttp } from './model-http.ts';
import { defaultQuirks } from './quirks.ts';
import { serveRpc } from './serve-rpc.ts';
import { usualModels, type ServerState } from './server-state.ts';

/**
 * A synthetic agent language server on 127.0.0.1: the reference for backends.md part A, written independently of the gateway's own client. It keeps its own history, runs its own
 * agent loop with two tools of its own (`read_note`, `list_notes`), and calls a real Gemini-format endpoint over the network for every model call, straight or through a proxy.
 * What builds do differently: `quirks.ts`.
 */
export async function startAgentServer(options: AgentServerOptions): Promise<AgentServerDouble> {
  const state = createState(options);
  const server = await openLoopbackServer((request, response) => serveRpc(state, request, response), options);
  return openDouble(state, server);
}

function createState(options: AgentServerOptions): ServerState {
  return {
    options,
    quirks: { ...defaultQuirks, ...options.quirks },
    tokens: options.tokens ?? null,
    models: options.models ?? usualModels,
    modelHttp: openModelHttp(options),
    cascades: new Map(),
    unloaded: new Map(),
    runs: new Set(),
    subscribers: new Map(),
    rpcCounts: new Map(),
    log: [],
    cancelled: [],
    interactions: [],
    unauthorized: 0,
    changes: createChanges(),
  };
}

function openDouble(state: ServerState, server: LoopbackServer): AgentServerDouble {
  function restart({ forgets = true, dropsConnections = true }: RestartOptions = {}): void {
    stopRuns(state);
    state.unloaded.clear();
    if (!forgets) for (const [id, cascade] of state.cascades) state.unloaded.set(id, cascade);
    state.cascades.clear();
    if (dropsConnections) server.dropConnections();
    state.changes.changed();
  }

  return {
    url: server.url,
    port: server.port,
    caFile: server.caFile,
    get connections() {
      return server.connections;
    },
    requests: state.log,
    get modelCalls() {
      return state.log.filter((entry): entry is LoggedModelCall => entry.type === 'model');
    },
    bodiesOf: (method) =>
      state.log.flatMap((entry): JsonObject[] => (entry.type === 'rpc' && entry.method === method ? [entry.body] : [])),
    cancelled: state.cancelled,
    interactions: state.interactions,
    get unauthorized() {
      return state.unauthorized;
    },
    cascades: () => [...state.cascades.values()].map((cascade) => cascade.view()),
    setTokens(tokens) {
      state.tokens = tokens;
    },
    setQuirks(quirks) {
      state.quirks = { ...state.quirks, ...quirks };
    },
    setModelWay(way) {
      state.modelHttp.close();
      state.modelHttp = openModelHttp(way);
    },
    restart,
    leave() {
      restart({ dropsConnections: false });
      return server.leave();
    },
    until: (isReached) => state.changes.until(isReached),
    async close() {
      stopRuns(state);
      state.modelHttp.close();
      await server.close();
    },
  };
}

function stopRuns(state: ServerState): void {
  for (const run of state.runs) run.abort(new Error('the agent server was stopped'));
}
