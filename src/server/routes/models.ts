import { GatewayError } from '../../model/errors.ts';
import type { CatalogEntry } from '../../model/model-catalog.ts';
import { sendJson, type Exchange } from '../exchange.ts';

/** `GET /v1/models` */
export async function listModels(exchange: Exchange): Promise<void> {
  const entries = await exchange.options.engine.catalog.listModels();
  sendJson(exchange, { object: 'list', data: entries.map(toModel) });
}

/** `GET /v1/models/{id}`: ids contain slashes, so the rest of the path is the id. */
export async function retrieveModel(exchange: Exchange): Promise<void> {
  const { catalog } = exchange.options.engine;
  const id = exchange.params['*'] ?? '';
  const entries = await catalog.listModels();
  // A bare name that a request could use is found here too.
  const entry = entries.find((known) => known.id === id) ?? (await findByBareName(id, exchange, entries));
  if (entry === undefined) {
    throw new GatewayError(
      'model_not_found',
      `The model '${id.slice(0, 128)}' does not exist. GET /v1/models lists what there is.`,
      { param: 'model', status: 404 },
    );
  }
  sendJson(exchange, toModel(entry));
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

function toModel({ id, created, ownedBy }: CatalogEntry): { id: string; object: 'model'; created: number; owned_by: string } {
  return { id, object: 'model', created, owned_by: ownedBy };
}
