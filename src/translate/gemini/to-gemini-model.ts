import type { CatalogEntry } from '../../model/model-catalog.ts';

/** A model as Google's list shows it. Its limits are not known here, so they are not there. */
export interface GeminiModel {
  readonly name: string;
  readonly version: string;
  readonly displayName: string;
  readonly description: string;
  readonly supportedGenerationMethods: readonly string[];
}

/** A model of ours → one entry of `GET /v1beta/models` (backends.md B.1). */
export function toGeminiModel({ id, ownedBy }: Pick<CatalogEntry, 'id' | 'ownedBy'>): GeminiModel {
  return {
    name: `models/${id}`,
    version: '',
    displayName: id,
    description: `A model of ${ownedBy}, behind a gateway.`,
    supportedGenerationMethods: ['generateContent', 'streamGenerateContent', 'countTokens'],
  };
}
