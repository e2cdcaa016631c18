import type { WebSearchCallItem } from '../../protocol/responses/items.ts';
import type { ItemPlace } from './item-writer.ts';

/** A search that the backend did by itself, reported after the fact: the whole life of a web_search_call at once. */
export function writeWebSearch(
  place: ItemPlace,
  search: { readonly queries: readonly string[]; readonly sources: readonly string[] },
): WebSearchCallItem {
  const { id, outputIndex: output_index, emit } = place;
  const action: WebSearchCallItem['action'] = {
    type: 'search',
    query: search.queries[0] ?? '',
    queries: [...search.queries],
    ...(search.sources.length > 0 && { sources: search.sources.map((url) => ({ type: 'url' as const, url })) }),
  };
  const item: WebSearchCallItem = { id, type: 'web_search_call', status: 'completed', action };
  emit({ type: 'response.output_item.added', output_index, item: { ...item, status: 'in_progress' } });
  emit({ type: 'response.web_search_call.in_progress', item_id: id, output_index });
  emit({ type: 'response.web_search_call.searching', item_id: id, output_index });
  emit({ type: 'response.web_search_call.completed', item_id: id, output_index });
  emit({ type: 'response.output_item.done', output_index, item });
  return item;
}
