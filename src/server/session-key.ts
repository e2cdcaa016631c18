import type { IncomingHttpHeaders } from 'node:http';
import type { CreateResponseRequest } from '../protocol/responses/request.ts';

/** Headers in which agents name their session: OpenCode's, Codex's, Claude Code's (clients.md §11.8). */
const sessionHeaders = ['x-session-affinity', 'x-session-id', 'session-id', 'thread-id', 'x-claude-code-session-id'];

/**
 * What all requests of one session have in common, so that they can stay with one of several equal backends, whose prompt cache then hits: `prompt_cache_key`, a header, or Anthropic's `metadata.user_id`.
 * Null: the client does not say. `x-codex-turn-state` is not among them: it lives for one turn only, and Codex names its session too.
 */
export function sessionKeyOf(
  headers: IncomingHttpHeaders,
  request: Pick<CreateResponseRequest, 'prompt_cache_key' | 'metadata'>,
): string | null {
  const named = sessionHeaders.map((name) => headers[name]).find((value) => typeof value === 'string' && value !== '');
  const keys = [request.prompt_cache_key, named, request.metadata['user_id']];
  return keys.find((key): key is string => typeof key === 'string' && key !== '') ?? null;
}
