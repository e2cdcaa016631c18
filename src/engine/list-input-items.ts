import { isJsonObject } from '../lib/json.ts';
import { GatewayError } from '../model/errors.ts';
import type { StoredItem, StoredResponse } from '../model/response-store.ts';
import { contextOf, toStoredItem } from './stored-items.ts';

export interface ItemPageQuery {
  /** 1–100. */
  readonly limit: number;
  readonly order: 'asc' | 'desc';
  /** Id of the last item of the page before. */
  readonly after: string | null;
  readonly include: readonly string[];
}

/** OpenAI's list page (protocol.md §1.1). `first_id` and `last_id` are null on an empty page. */
export interface ItemPage {
  object: 'list';
  data: StoredItem[];
  first_id: string | null;
  last_id: string | null;
  has_more: boolean;
}

/**
 * One page of the input of a stored response: the context of the responses before it, then its own input, as the model got them. `chain` is oldest first and ends with the response itself.
 * An unknown `after` is a 400.
 */
export function listInputItems(chain: readonly StoredResponse[], query: ItemPageQuery): ItemPage {
  const own = chain.at(-1)?.input ?? [];
  const inherited = chain.slice(0, -1).flatMap(contextOf);
  // Everything here has its id already: it was given when it was stored.
  const items = [...inherited.map((item) => toStoredItem(item, (prefix) => prefix)), ...own];
  const ordered = query.order === 'asc' ? items : items.reverse();
  const data = ordered.slice(startOf(ordered, query.after)).slice(0, query.limit + 1);
  const page = data.slice(0, query.limit).map((item) => showItem(item, query.include));
  return {
    object: 'list',
    data: page,
    first_id: page[0]?.id ?? null,
    last_id: page.at(-1)?.id ?? null,
    has_more: data.length > query.limit,
  };
}

function startOf(items: readonly StoredItem[], after: string | null): number {
  if (after === null) return 0;
  const at = items.findIndex(({ id }) => id === after);
  if (at < 0)
    throw new GatewayError('invalid_value', `Invalid value for 'after': there is no input item with id '${after}'.`, {
      param: 'after',
    });
  return at + 1;
}

/** An item as the list shows it: sealed state only when asked for, content parts complete. */
function showItem(item: StoredItem, include: readonly string[]): StoredItem {
  const shown: { [key: string]: unknown } & StoredItem = { ...item };
  if (item.type === 'reasoning' && !include.includes('reasoning.encrypted_content')) delete shown['encrypted_content'];
  const { content, output } = item;
  if (item.type === 'message' && Array.isArray(content)) shown['content'] = content.map(showPart);
  if (item.type === 'function_call_output' && Array.isArray(output)) shown['output'] = output.map(showPart);
  return shown;
}

/** Clients may leave these members out of a request; in an answer OpenAI's types and Open Responses take them for granted. */
function showPart(part: unknown): unknown {
  if (!isJsonObject(part)) return part;
  if (part['type'] === 'output_text') return { annotations: [], logprobs: [], ...part };
  return part['type'] === 'input_image' ? { image_url: null, detail: 'auto', ...part } : part;
}
