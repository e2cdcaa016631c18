import type { Loss, Translated } from '../../model/loss.ts';
import type { ContentPart, ModelRequest } from '../../model/model-request.ts';
import type { GeminiGenerationConfig } from '../../protocol/gemini/request.ts';
import { toGeminiSchema } from '../json-schema/to-gemini-schema.ts';
import type { ModelTraits } from './model-traits.ts';
import { toThinkingConfig } from './to-thinking-config.ts';

/** How the answer shall look and be drawn → `generationConfig`; undefined when nothing was asked for. `nativeJson` false leaves the output format to the prompt. */
export function toGenerationConfig(
  request: ModelRequest,
  traits: ModelTraits,
  nativeJson: boolean,
): Translated<GeminiGenerationConfig | undefined> {
  const thinking = toThinkingConfig(request, traits);
  const losses: Loss[] = [...thinking.losses];
  const config = toSampling(request);
  losses.push(...addStop(config, request.stop));
  if (nativeJson) losses.push(...addFormat(config, request));
  if (thinking.value !== undefined) config.thinkingConfig = thinking.value;
  losses.push(...addMediaResolution(config, request));
  if (request.verbosity !== null && request.verbosity !== 'medium') {
    losses.push({ path: 'text.verbosity', action: 'dropped', reason: 'Gemini cannot be told how long an answer shall be' });
  }
  return { value: Object.keys(config).length > 0 ? config : undefined, losses };
}

function toSampling(request: ModelRequest): GeminiGenerationConfig {
  const config: GeminiGenerationConfig = {};
  if (request.maxOutputTokens !== null) config.maxOutputTokens = request.maxOutputTokens;
  if (request.temperature !== null) config.temperature = request.temperature;
  if (request.topP !== null) config.topP = request.topP;
  // Elsewhere 0 limits nothing; Gemini refuses it.
  if (request.topK !== null && request.topK > 0) config.topK = request.topK;
  if (request.seed !== null) config.seed = toSeed(request.seed);
  if (request.presencePenalty !== null) config.presencePenalty = request.presencePenalty;
  if (request.frequencyPenalty !== null) config.frequencyPenalty = request.frequencyPenalty;
  if (request.topLogprobs === null) return config;
  config.responseLogprobs = true;
  if (request.topLogprobs > 0) config.logprobs = request.topLogprobs;
  return config;
}

/** More than five are refused. */
const maxStops = 5;

function addStop(config: GeminiGenerationConfig, stop: readonly string[]): Loss[] {
  if (stop.length > 0) config.stopSequences = stop.slice(0, maxStops);
  if (stop.length <= maxStops) return [];
  return [
    {
      path: 'stop',
      action: 'approximated',
      reason: `Gemini stops at ${String(maxStops)} texts at most; the first ones were taken`,
    },
  ];
}

/** Gemini's is an int32; a longer one keeps its low bits, so that equal seeds stay equal. */
function toSeed(seed: number): number {
  return seed | 0;
}

function addFormat(config: GeminiGenerationConfig, { format }: ModelRequest): readonly Loss[] {
  if (format.type === 'text') return [];
  config.responseMimeType = 'application/json';
  if (format.type === 'json-object') return [];
  const { value, losses } = toGeminiSchema(format.schema, 'text.format.schema');
  config.responseJsonSchema =
    format.description === null || value['description'] !== undefined ? value : { ...value, description: format.description };
  return losses;
}

/** The resolution holds for the whole request: low only when every image asks for it. High is Gemini's default, and there is nothing above it. */
function addMediaResolution(config: GeminiGenerationConfig, request: ModelRequest): Loss[] {
  const images = request.input
    .flatMap((item): readonly ContentPart[] => (item.type === 'message' || item.type === 'call-output' ? item.content : []))
    .filter((part) => part.type === 'image');
  const isLow = images.length > 0 && images.every(({ detail }) => detail === 'low');
  if (isLow) config.mediaResolution = 'MEDIA_RESOLUTION_LOW';
  return images.flatMap(({ detail, path }): Loss[] => {
    if (detail === 'original') return [toDetailLoss(path, 'Gemini has no resolution above high')];
    return detail === 'low' && !isLow ? [toDetailLoss(path, 'Gemini has one resolution for all images of a request')] : [];
  });
}

function toDetailLoss(path: string, reason: string): Loss {
  return { path: `${path}.detail`, action: 'dropped', reason };
}
