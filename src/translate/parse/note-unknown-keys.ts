import type { JsonObject } from '../../lib/json.ts';
import type { Loss } from '../../model/loss.ts';
import { toPreview } from './request-error.ts';

/** A parameter we do not know: nothing is done with it, the client learns of it, and strict mode refuses it as OpenAI does. */
export function toUnknownParameter(path: string, reason = 'the Responses API has no such parameter'): Loss {
  return { path: toPreview(path), action: 'dropped', reason, code: 'unknown_parameter' };
}

/** Reports the members of a settings object (`reasoning`, `text` …) that nobody reads. */
export function noteUnknownKeys(object: JsonObject, path: string, known: readonly string[], losses: Loss[]): void {
  for (const key of Object.keys(object)) if (!known.includes(key)) losses.push(toUnknownParameter(`${path}.${key}`));
}
