import { GatewayError } from '../../model/errors.ts';

/** Where a Gemini server is reached. */
export interface GeminiAddress {
  /** Vertex AI speaks the same protocol with small differences. */
  readonly isVertex: boolean;
  /** `modelUrl('gemini-3-flash', 'countTokens')`. Throws `model_not_found` for an id that no model can have. */
  modelUrl(model: string, method: string): string;
  /** One page of the list; `pageToken` null for the first. */
  listUrl(pageToken: string | null): string;
}

const defaultBaseUrl = 'https://generativelanguage.googleapis.com/v1beta';

/** A base URL without a version in its path gets `/v1beta`. */
export function createGeminiAddress(baseUrl: string | undefined): GeminiAddress {
  const base = (baseUrl ?? defaultBaseUrl).replace(/\/+$/, '');
  const url = URL.canParse(base) ? new URL(base) : null;
  const hasVersion = url === null || /\/v\d+(?:(?:alpha|beta)\d*)?(?:\/|$)/.test(url.pathname);
  const root = hasVersion ? base : `${base}/v1beta`;
  return {
    isVertex: url !== null && /(?:^|[.-])aiplatform\.googleapis\.com$/.test(url.hostname),
    modelUrl: (model, method) => `${root}/${encodeModel(model)}:${method}`,
    listUrl: (pageToken) =>
      `${root}/models?pageSize=1000${pageToken === null ? '' : `&pageToken=${encodeURIComponent(pageToken)}`}`,
  };
}

/** Collections that an id may name by itself. */
const collections = ['models', 'tunedModels'];

/** A model's name comes from a client and goes into a path: no dots that climb, no separators, nothing that ends the path. */
function encodeModel(model: string): string {
  const [first = '', ...rest] = model.split('/');
  const [collection, id] = collections.includes(first) && rest.length > 0 ? [first, rest.join('/')] : ['models', model];
  if (/^\.*$/.test(id) || /[\p{Cc}\p{Cs}]/u.test(id)) {
    throw new GatewayError('model_not_found', 'No Gemini model can have this name.', { param: 'model' });
  }
  return `${collection}/${encodeURIComponent(id)}`;
}
