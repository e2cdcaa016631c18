import type { CatalogEntry } from '../../model/model-catalog.ts';
import { invalid } from '../../translate/parse/request-error.ts';
import { sendJson, type Exchange } from '../exchange.ts';
import { findModel } from './find-model.ts';
import { parsePageSize } from './page-size.ts';

/** `GET /v1/models?limit=&after_id=&before_id=` for Anthropic's clients. */
export async function listAnthropicModels(exchange: Exchange): Promise<void> {
  const { query, options } = exchange;
  const all = (await options.engine.catalog.listModels()).map(toAnthropicModel);
  const limit = parsePageSize(query.get('limit'), 'limit', { byDefault: 20, max: 1000 });
  const after = findCursor(query, 'after_id', all);
  const before = findCursor(query, 'before_id', all);
  if (after !== null && before !== null)
    throw invalid('mutually_exclusive_parameters', 'before_id', "Only one of 'after_id' and 'before_id' can be given.");
  const end = before ?? Math.min((after ?? -1) + 1 + limit, all.length);
  const start = before === null ? (after ?? -1) + 1 : Math.max(before - limit, 0);
  const data = all.slice(start, end);
  sendJson(exchange, {
    data,
    // There are more in the direction in which the client goes.
    has_more: before === null ? end < all.length : start > 0,
    first_id: data.at(0)?.id ?? null,
    last_id: data.at(-1)?.id ?? null,
  });
}

/** `GET /v1/models/{id}` for Anthropic's clients. */
export async function retrieveAnthropicModel(exchange: Exchange): Promise<void> {
  sendJson(exchange, toAnthropicModel(await findModel(exchange.params['*'] ?? '', exchange)));
}

/** The index of the named model, or null when none is named. */
function findCursor(query: URLSearchParams, name: string, all: readonly { id: string }[]): number | null {
  const id = query.get(name);
  if (id === null || id === '') return null;
  const at = all.findIndex((model) => model.id === id);
  if (at >= 0) return at;
  throw invalid('invalid_value', name, `Invalid '${name}': no model has this id.`);
}

/** An unknown date is the epoch, as Anthropic documents it. */
function toAnthropicModel({ id, created }: CatalogEntry): {
  type: 'model';
  id: string;
  display_name: string;
  created_at: string;
} {
  return { type: 'model', id, display_name: id, created_at: new Date(created * 1000).toISOString().replace('.000Z', 'Z') };
}
