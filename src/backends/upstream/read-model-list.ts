import { isJsonObject } from '../../lib/json.ts';
import { GatewayError } from '../../model/errors.ts';
import type { ModelInfo } from '../../model/backend.ts';

/** `GET /models`: OpenAI's `{data: […]}`, or the bare list of some servers. Entries without an id are left out; a body without any list is not an API. */
export function readModelList(body: unknown): readonly ModelInfo[] {
  const list = isJsonObject(body) ? body['data'] : body;
  if (Array.isArray(list)) return list.flatMap(readModel);
  // Ollama and some proxies answer null when there is no model at all.
  if (isJsonObject(body) && list === null) return [];
  throw new GatewayError(
    'upstream_invalid_response',
    'The model server answered GET /models with something that is not a list of models. Check its base_url.',
  );
}

function readModel(entry: unknown): ModelInfo[] {
  if (!isJsonObject(entry) || typeof entry['id'] !== 'string' || entry['id'] === '') return [];
  const { id, created, owned_by: owner } = entry;
  return [
    {
      id,
      created: typeof created === 'number' && Number.isFinite(created) && created > 0 ? Math.floor(created) : null,
      ownedBy: typeof owner === 'string' && owner !== '' ? owner : null,
    },
  ];
}
