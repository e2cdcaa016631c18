import { isJsonObject, type JsonObject } from '../../lib/json.ts';
import type { ContentPart, ModelRequest } from '../../model/model-request.ts';
import { withoutRefusedSampling } from '../chat/openai-models.ts';
import { toShortIdentifier } from '../short-identifier.ts';
import { isThinkingModel, type ResponsesProfile } from './responses-profile.ts';
import { mayFetch } from './to-input-parts.ts';
import { toResponsesReasoning } from './to-responses-reasoning.ts';
import { responsesToolNames } from './to-responses-request.ts';

/**
 * Whether a server of this profile understands a client's body as it is. Not so where the translation would say something in other words for it, where this server refuses or passes over in silence what others
 * take, and where a server in our own network would fetch what a client names.
 */
export function takesResponsesNatively(request: ModelRequest, fields: JsonObject, profile: ResponsesProfile): boolean {
  return (
    takesSettings(request, fields, profile) &&
    takesAtOpenai(request, profile) &&
    takesTools(request, profile) &&
    takesHistory(request, fields, profile)
  );
}

/** Which settings a model of OpenAI refuses depends on the model. */
function takesAtOpenai(request: ModelRequest, profile: ResponsesProfile): boolean {
  if (!profile.hasOpenaiModels) return true;
  let isWhole = true;
  const report = (): void => {
    isWhole = false;
  };
  withoutRefusedSampling(request, report);
  toResponsesReasoning(request, profile, report);
  return isWhole;
}

function takesSettings(request: ModelRequest, fields: JsonObject, profile: ResponsesProfile): boolean {
  const { presencePenalty, frequencyPenalty, promptCacheKey, safetyIdentifier } = request;
  if (!profile.penalties && (presencePenalty !== null || frequencyPenalty !== null)) return false;
  if ([promptCacheKey, safetyIdentifier].some((word) => word !== null && toShortIdentifier(word) !== word)) return false;
  const { include } = fields;
  const wantsSealed = Array.isArray(include) && include.includes('reasoning.encrypted_content');
  if (!wantsSealed || profile.sealedReasoning === 'always') return true;
  return profile.sealedReasoning === 'by-model' && isThinkingModel(request.model);
}

function takesTools(request: ModelRequest, { hostedTools, enforcesStrict }: ResponsesProfile): boolean {
  if (hostedTools === 'none' && request.hostedTools.length > 0) return false;
  if (!enforcesStrict && request.tools.some(({ strict }) => strict)) return false;
  const names = responsesToolNames(request);
  return request.tools.every(({ name }) => names.toAlias(name) === name);
}

function takesHistory({ input }: ModelRequest, { input: items }: JsonObject, profile: ResponsesProfile): boolean {
  if (!profile.hasDeveloperRole && input.some((item) => item.type === 'message' && item.role === 'developer')) return false;
  if (Array.isArray(items) && items.some((item) => isUnsealed(item) || (!profile.takesFiles && hasOutputParts(item))))
    return false;
  return input.every((item) => !('content' in item) || item.content.every((part) => takesPart(part, profile)));
}

/** Reasoning that only its server knows the rest of: it is not stored there. */
function isUnsealed(item: unknown): boolean {
  return isJsonObject(item) && item['type'] === 'reasoning' && typeof item['encrypted_content'] !== 'string';
}

function hasOutputParts(item: unknown): boolean {
  return isJsonObject(item) && Array.isArray(item['output']);
}

function takesPart(part: ContentPart, profile: ResponsesProfile): boolean {
  if (part.type === 'image' && !profile.chat.acceptsImages) return false;
  if (part.type === 'file' && !profile.takesFiles) return false;
  return !('source' in part) || part.source.type !== 'url' || mayFetch(profile);
}
