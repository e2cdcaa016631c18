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
  const entry = (await catalog.listModels()).find((known) => known.id === id);
  if (entry === undefined) {
    throw new GatewayError(
      'model_not_found',
      `The model '${id.slice(0, 128)}' does not exist. GET /v1/models lists what there is.`,
      { param: 'model', status: 404 },
    );
  }
  sendJson(exchange, toModel(entry));
}

function toModel({ id, created, ownedBy }: CatalogEntry): { id: string; object: 'model'; created: number; owned_by: string } {
  return { id, object: 'model', created, owned_by: ownedBy };
}
