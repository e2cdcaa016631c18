import { isJsonObject } from '../../lib/json.ts';
import type { Loss } from '../../model/loss.ts';
import { isAbsent } from '../parse/parse-value.ts';
import { invalid } from '../parse/request-error.ts';

/** Fields that concern speed, price, place or caching: the answer is the same without them. */
const settledFields: readonly string[] = [
  'cache_control',
  'service_tier',
  'speed',
  'inference_geo',
  'diagnostics',
  'betas',
  'user_profile_id',
  'workspace_id',
];

/** Whether nothing has to be done about the field. */
export function isSettled(name: string): boolean {
  return settledFields.includes(name);
}

/**
 * Betas that Anthropic's servers do by themselves. A loss for what would change the answer here; false when the field is none of them.
 */
export function noteUnserved(name: string, value: unknown, losses: Loss[]): boolean {
  switch (name) {
    case 'mcp_servers':
      if (!isEmpty(value)) losses.push(drop(name, 'this gateway calls no MCP servers; the client can offer their tools itself'));
      return true;
    case 'container':
      losses.push(drop(name, 'there are no code containers here'));
      return true;
    case 'context_management':
      noteContextEdits(value, losses);
      return true;
    default:
      return false;
  }
}

/** Keeping all thinking is what happens anyway. */
function noteContextEdits(value: unknown, losses: Loss[]): void {
  const edits = isJsonObject(value) && Array.isArray(value.edits) ? value.edits : [];
  edits.forEach((edit: unknown, at) => {
    if (isJsonObject(edit) && String(edit.type).startsWith('clear_thinking') && edit.keep === 'all') return;
    losses.push(
      drop(`context_management.edits[${String(at)}]`, 'the history goes to the model as it is; nothing in it is cleared'),
    );
  });
}

function drop(path: string, reason: string): Loss {
  return { path, action: 'dropped', reason };
}

function isEmpty(value: unknown): boolean {
  return Array.isArray(value) && value.length === 0;
}

/**
 * Message threads (beta) keep the history on the server, which this door does not. The error says so in a way that Anthropic's tool runner understands: it goes on with the whole history. Throws
 * `unsupported_parameter`.
 */
export function checkThread(value: unknown): void {
  if (isAbsent(value)) return;
  const message = "Message threads are not available here: send the whole history in 'messages', without 'thread'.";
  throw invalid('unsupported_parameter', 'thread', message);
}
