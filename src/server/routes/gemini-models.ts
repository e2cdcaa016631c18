import { toModelName } from '../../translate/gemini/from-gemini-request.ts';
import { toGeminiModel } from '../../translate/gemini/to-gemini-model.ts';
import { invalid } from '../../translate/parse/request-error.ts';
import { sendJson, type Exchange } from '../exchange.ts';
import { findModel } from './find-model.ts';
import { parsePageSize } from './page-size.ts';

/** `GET /v1beta/models?pageSize=&pageToken=`: Google's default is 50 a page. A token is the name of the last model before the page. */
export async function listGeminiModels(exchange: Exchange): Promise<void> {
  const { query, options } = exchange;
  const all = (await options.engine.catalog.listModels()).map(toGeminiModel);
  const size = parsePageSize(query.get('pageSize') ?? query.get('page_size'), 'pageSize', {
    byDefault: 50,
    max: 1000,
    cuts: true,
  });
  const token = query.get('pageToken') ?? query.get('page_token') ?? '';
  const start = token === '' ? 0 : all.findIndex(({ name }) => name === token) + 1;
  if (token !== '' && start === 0)
    throw invalid('invalid_value', 'pageToken', "Invalid 'pageToken': it is none that this gateway gave, or its model is gone.");
  const models = all.slice(start, start + size);
  const last = models.at(-1);
  const hasMore = last !== undefined && start + size < all.length;
  sendJson(exchange, { models, ...(hasMore && { nextPageToken: last.name }) });
}

/** `GET /v1beta/models/{model}` */
export async function retrieveGeminiModel(exchange: Exchange): Promise<void> {
  sendJson(exchange, toGeminiModel(await findModel(toModelName(exchange.params['*'] ?? ''), exchange)));
}
