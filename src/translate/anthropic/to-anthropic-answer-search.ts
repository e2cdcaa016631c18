import type { AnthropicServerToolUse, AnthropicWebSearchResult } from '../../protocol/anthropic/answer.ts';
import type { WebSearchCallItem } from '../../protocol/responses/items.ts';

/** A search that the model server did: the call, and what it found as far as its server said it. */
export function toSearchBlocks({ id, action }: WebSearchCallItem): [AnthropicServerToolUse, AnthropicWebSearchResult] {
  const toolId = id.replace(/^ws_/, 'srvtoolu_');
  const query = action.queries.length > 1 ? action.queries.join('; ') : action.query;
  const content = (action.sources ?? []).map(({ url }) => ({
    type: 'web_search_result' as const,
    url,
    title: url,
    encrypted_content: '',
    page_age: null,
  }));
  return [
    { type: 'server_tool_use', id: toolId, name: 'web_search', input: { query } },
    { type: 'web_search_tool_result', tool_use_id: toolId, content },
  ];
}
