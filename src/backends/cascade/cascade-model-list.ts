import type { JsonObject } from '../../lib/json.ts';
import { GatewayError } from '../../model/errors.ts';
import { faultKindOf } from '../../translate/cascade/map-cascade-error.ts';
import { overlayModels, readModels } from '../../translate/cascade/read-models.ts';
import type { AgentModel } from './agent-server.ts';
import { createSingleFlight } from './single-flight.ts';

const keptMs = 60_000;
/** A list that old is still used by turns, while a new one is fetched for the next: some servers ask theirs for seconds. */
const usableMs = 10 * 60_000;
/** Configured models stand in for a catalogue that could not be read, but not for long. */
const standInMs = 10_000;

/** In the order in which they are tried. */
const catalogueCalls = [
  { method: 'GetCascadeModelConfigData', message: {} },
  { method: 'GetAvailableModels', message: { forceRefresh: true } },
] as const;

/**
 * The models of an agent server, asked for at most once a minute however many want to know. A server without a catalogue has the configured models; one that has neither, or
 * cannot be asked, is an error. `mayBeOld`: a list of up to ten minutes will do.
 */
export function createCascadeModelList(options: {
  readonly call: (method: string, message: object) => Promise<JsonObject>;
  readonly configured: ReadonlyMap<string, string>;
  /** Unix milliseconds. */
  readonly now: () => number;
}): (signal: AbortSignal, mayBeOld?: boolean) => Promise<readonly AgentModel[]> {
  const { call, configured, now } = options;
  let kept: { readonly models: readonly AgentModel[]; readonly freshUntil: number; readonly usableUntil: number } | undefined;

  /** Null when no catalogue could be read and the configured models must do. */
  async function askServer(): Promise<readonly AgentModel[] | null> {
    let failure: unknown;
    for (const { method, message } of catalogueCalls) {
      try {
        const models = readModels(await call(method, message));
        if (models.length > 0) return models;
      } catch (error) {
        if (isServersTrouble(error)) throw error;
        failure ??= error;
      }
    }
    if (failure === undefined) return [];
    if (configured.size === 0) throw GatewayError.from(failure);
    return null;
  }

  const load = createSingleFlight(async () => {
    const listed = await askServer();
    if (listed === null && kept !== undefined && now() < kept.usableUntil) return kept.models;
    const models = overlayModels(listed ?? [], configured);
    const lasting = listed === null ? standInMs : keptMs;
    // A server that has only just started may have none yet.
    if (models.length > 0)
      kept = { models, freshUntil: now() + lasting, usableUntil: now() + (listed === null ? lasting : usableMs) };
    return models;
  });

  return async (signal, mayBeOld = false) => {
    if (kept === undefined || now() >= (mayBeOld ? kept.usableUntil : kept.freshUntil)) return load(signal);
    // Who asks next learns what went wrong, if it still does.
    if (now() >= kept.freshUntil) void load(new AbortController().signal).catch(() => undefined);
    return kept.models;
  };
}

/** Whether no other call would fare better: nobody is there, or our credentials are refused. Everything else may concern one catalogue only. */
function isServersTrouble(error: unknown): boolean {
  const kind = faultKindOf(error);
  if (kind !== null) return kind === 'csrf' || kind === 'token';
  const code = error instanceof GatewayError ? error.code : '';
  return !['upstream_invalid_response', 'upstream_timeout', 'upstream_truncated'].includes(code);
}
