import type { CatalogEntry } from '../../model/model-catalog.ts';
import { dialectOf } from '../dialect-of.ts';
import { sendJson, type Exchange } from '../exchange.ts';
import { listAnthropicModels, retrieveAnthropicModel } from './anthropic-models.ts';
import { listCodexModels } from './codex-models.ts';
import { findModel } from './find-model.ts';
import { listGeminiModels, retrieveGeminiModel } from './gemini-models.ts';

/** `GET /v1/models`, in the dialect of the caller: three SDKs and Codex ask this one URL and want four shapes (clients.md §9). */
export async function listModels(exchange: Exchange): Promise<void> {
  if (exchange.query.has('client_version')) return listCodexModels(exchange);
  switch (dialectOf(exchange.request.headers, exchange.query)) {
    case 'gemini':
      return listGeminiModels(exchange);
    case 'anthropic':
      return listAnthropicModels(exchange);
    default: {
      const entries = await exchange.options.engine.catalog.listModels();
      sendJson(exchange, { object: 'list', data: entries.map(toModel) });
    }
  }
}

/** `GET /v1/models/{id}`: ids contain slashes, so the rest of the path is the id. */
export async function retrieveModel(exchange: Exchange): Promise<void> {
  switch (dialectOf(exchange.request.headers, exchange.query)) {
    case 'gemini':
      return retrieveGeminiModel(exchange);
    case 'anthropic':
      return retrieveAnthropicModel(exchange);
    default:
      sendJson(exchange, toModel(await findModel(exchange.params['*'] ?? '', exchange)));
  }
}

function toModel({ id, created, ownedBy }: CatalogEntry): { id: string; object: 'model'; created: number; owned_by: string } {
  return { id, object: 'model', created, owned_by: ownedBy };
}
