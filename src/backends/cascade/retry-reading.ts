import { GatewayError } from '../../model/errors.ts';
import { faultKindOf } from '../../translate/cascade/map-cascade-error.ts';

/** Milliseconds before each further try. */
const pauses = [100, 200, 400, 800];
/** A port that refuses has no server behind it; it may be on its way up, but not for long. */
const maxRefusals = 2;
/** Who did not answer in time has had much of it. */
const maxTimeouts = 1;

/**
 * Reads again after trouble that passes: a 5xx, a connection that broke, twice at most a refused one, once an answer that did not come in time. Everything else is thrown at once, above all that the cascade is
 * gone. `pause` throws when the caller leaves.
 */
export async function retryReading<T>(read: () => Promise<T>, pause: (milliseconds: number) => Promise<void>): Promise<T> {
  let refusals = 0;
  let timeouts = 0;
  for (const milliseconds of pauses) {
    try {
      return await read();
    } catch (error) {
      if (isConnectionRefused(error)) refusals += 1;
      if (isTimeout(error)) timeouts += 1;
      if (!isPassing(error) || refusals > maxRefusals || timeouts > maxTimeouts) throw error;
    }
    await pause(milliseconds);
  }
  return read();
}

/** Whether nobody listens there. */
function isConnectionRefused(error: unknown): boolean {
  return transportCode(error) === 'ECONNREFUSED';
}

function isTimeout(error: unknown): boolean {
  return error instanceof GatewayError && error.code === 'upstream_timeout';
}

/** Code of the system's or undici's error behind a GatewayError; '' when there is none. */
export function transportCode(error: unknown): string {
  const cause = error instanceof GatewayError ? error.cause : undefined;
  return cause instanceof Error && 'code' in cause && typeof cause.code === 'string' ? cause.code : '';
}

function isPassing(error: unknown): boolean {
  const kind = faultKindOf(error);
  if (isTimeout(error)) return true;
  if (kind !== null) return kind === 'failed' || kind === 'overloaded' || kind === 'unreachable' || kind === 'busy';
  return error instanceof GatewayError && (error.code === 'upstream_unreachable' || error.code === 'upstream_truncated');
}
