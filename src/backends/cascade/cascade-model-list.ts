import type { JsonObject } from '../../lib/json.ts';
import { GatewayError } from '../../model/errors.ts';
import { faultKindOf } from '../../translate/cascade/map-cascade-error.ts';
import { overlayModels, readModels } from '../../translate/cascade/read-models.ts';
import type { AgentModel } from './agent-server.ts';
import { createSingleFlight } from './single-flight.ts';

const keptMs = 60_000;

/** In the order in which they are tried. */
const catalogueCalls = [
  { method: 'GetCascadeModelConfigData', message: {} },
  { method: 'GetAvailableModels', message: { forceRefresh: true } },
] as const;

/**
 * The models of an agent server, asked for at most once a minute however many want to know. A server without a catalogue has the configured models; one that has neither, or
 * cannot be asked, is an error.
 */
export function createCascadeModelList(options: {
  readonly call: (method: string, message: object) => Promise<JsonObject>;
  readonly configured: ReadonlyMap<string, string>;
  /** Unix milliseconds. */
  readonly now: () => number;
}): (signal: AbortSignal) => Promise<readonly AgentModel[]> {
  const { call, configured, now } = options;
  let kept: { readonly models: readonly AgentModel[]; readonly until: number } | undefined;

  async function askServer(): Promise<readonly AgentModel[]> {
    let failure: unknown;
    for (const { method, message } of catalogueCalls) {
      try {
        const models = readModels(await call(method, message));
        if (models.length > 0) return models;
      } catch (error) {
        if (!isOneCallsTrouble(error)) throw error;
        failure ??= error;
      }
    }
    if (failure !== undefined && configured.size === 0) throw GatewayError.from(failure);
    return [];
  }

  const load = createSingleFlight(async () => {
    const models = overlayModels(await askServer(), configured);
    // A server that has only just started may have none yet.
    if (models.length > 0) kept = { models, until: now() + keptMs };
    return models;
  });
  return async (signal) => (kept !== undefined && now() < kept.until ? kept.models : load(signal));
}

/** Whether it concerns this call only: the build does not have it, or it fails in it. */
function isOneCallsTrouble(error: unknown): boolean {
  const kind = faultKindOf(error);
  return kind === 'unserved' || kind === 'gone' || kind === 'refused' || kind === 'failed';
}
