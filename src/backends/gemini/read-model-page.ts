import { isJsonObject } from '../../lib/json.ts';
import { GatewayError } from '../../model/errors.ts';
import type { ModelInfo } from '../../model/backend.ts';

export interface ModelPage {
  readonly models: readonly ModelInfo[];
  readonly nextPageToken: string | null;
}

/** One page of `GET /models`: those that generate content, without the prefix `models/`. Throws `upstream_invalid_response` when it is not such a page. */
export function readModelPage(body: unknown): ModelPage {
  if (!isJsonObject(body) || (body['models'] !== undefined && !Array.isArray(body['models']))) {
    throw new GatewayError(
      'upstream_invalid_response',
      "The model server's list of models is not one of Gemini's. Check its base_url.",
    );
  }
  const listed = (body['models'] ?? []) as readonly unknown[];
  const token = body['nextPageToken'];
  return { models: listed.flatMap(toModelInfo), nextPageToken: typeof token === 'string' && token !== '' ? token : null };
}

function toModelInfo(model: unknown): ModelInfo[] {
  if (!isJsonObject(model) || typeof model['name'] !== 'string') return [];
  const methods = model['supportedGenerationMethods'];
  // A proxy may leave the methods out; only a list that lacks the method speaks against a model.
  if (Array.isArray(methods) && !methods.includes('generateContent')) return [];
  return [{ id: model['name'].replace(/^models\//, ''), created: null, ownedBy: 'google' }];
}
