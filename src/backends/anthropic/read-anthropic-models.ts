import { isJsonObject } from '../../lib/json.ts';
import type { ModelInfo } from '../../model/backend.ts';
import { GatewayError } from '../../model/errors.ts';

export interface AnthropicModelPage {
  readonly models: readonly ModelInfo[];
  /** Id after which the next page begins; null: there is none. */
  readonly nextAfterId: string | null;
}

/** One page of `GET /v1/models`. Servers that list their models as OpenAI does are understood too. Throws `upstream_invalid_response` when it is no list. */
export function readAnthropicModels(body: unknown): AnthropicModelPage {
  const data = isJsonObject(body) ? body['data'] : undefined;
  if (!isJsonObject(body) || !Array.isArray(data)) {
    throw new GatewayError(
      'upstream_invalid_response',
      "The model server's list of models is not one of Anthropic's. Check its base_url.",
    );
  }
  const { has_more: hasMore, last_id: lastId } = body;
  const isMore = hasMore === true && typeof lastId === 'string' && lastId !== '';
  return { models: (data as readonly unknown[]).flatMap(toModelInfo), nextAfterId: isMore ? lastId : null };
}

function toModelInfo(model: unknown): ModelInfo[] {
  if (!isJsonObject(model) || typeof model['id'] !== 'string' || model['id'] === '') return [];
  const { id, created_at: date, created, owned_by: owner } = model;
  const isClaude = id.includes('claude');
  return [
    {
      id,
      created: toSeconds(date) ?? toCount(created),
      ownedBy: typeof owner === 'string' ? owner : isClaude ? 'anthropic' : null,
    },
  ];
}

function toSeconds(date: unknown): number | null {
  const time = typeof date === 'string' ? Date.parse(date) : NaN;
  return time > 0 ? Math.floor(time / 1000) : null;
}

function toCount(created: unknown): number | null {
  return typeof created === 'number' && Number.isInteger(created) && created > 0 ? created : null;
}
