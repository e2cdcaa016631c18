import { GatewayError } from '../../model/errors.ts';
import type { CatalogEntry } from '../../model/model-catalog.ts';
import type { Exchange } from '../exchange.ts';

/** The model of that name; a bare name that a request could use is found too. Throws `model_not_found` as a 404: the id stands in the URL. */
export async function findModel(id: string, exchange: Exchange): Promise<CatalogEntry> {
  const entries = await exchange.options.engine.catalog.listModels();
  const entry = entries.find((known) => known.id === id) ?? (await findByBareName(id, exchange, entries));
  if (entry !== undefined) return entry;
  const message = `The model '${id.slice(0, 128)}' does not exist. GET /v1/models lists what there is.`;
  throw new GatewayError('model_not_found', message, { param: 'model', status: 404 });
}

async function findByBareName(
  id: string,
  { options }: Exchange,
  entries: readonly CatalogEntry[],
): Promise<CatalogEntry | undefined> {
  const { publicName } = await options.engine.catalog.resolveModel(id).catch(asNotFound);
  return entries.find((known) => known.id === publicName);
}

/** An id in a URL that does not exist is a 404, where a `model` in a body is a 400. */
function asNotFound(thrown: unknown): never {
  const error = GatewayError.from(thrown);
  throw error.code === 'model_not_found'
    ? new GatewayError('model_not_found', error.message, { param: 'model', status: 404 })
    : error;
}
