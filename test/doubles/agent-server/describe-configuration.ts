import type { AgentServerOptions } from './agent-server-options.ts';

/** What to write into antiphon.yaml for this agent server. The values of secrets are not repeated: the operator knows them. */
export function describeConfiguration(
  server: { readonly url: string; readonly caFile: string | null },
  options: Pick<AgentServerOptions, 'csrf' | 'tokens'>,
): string {
  const lines = [
    'backends:',
    '  agent:',
    '    type: cascade',
    `    base_url: ${server.url}`,
    ...(options.csrf === undefined ? [] : ["    csrf_token: '${AGENT_CSRF}' # what you gave as --csrf"]),
    ...(options.tokens === undefined ? [] : ["    token: '${AGENT_TOKEN}' # what you gave as --token"]),
    ...(server.caFile === null ? [] : [`    ca_file: ${server.caFile}`]),
    '    own_tools: keep',
    '    # tap: agent-tap # when its model calls go through a tap of the gateway: docs/agent-server.md',
    'models:',
    '  default: agent/gemini-3-pro',
  ];
  return lines.join('\n');
}
