import type { ModelRequest } from '../../model/model-request.ts';
import type { AnthropicRequest } from '../../protocol/anthropic/request.ts';
import type { AnthropicModelTraits } from './anthropic-model-traits.ts';
import type { ReportLoss } from './to-anthropic-content.ts';

type Sampling = Pick<AnthropicRequest, 'temperature' | 'top_p' | 'top_k'>;
type OtherSettings = Pick<AnthropicRequest, 'stop_sequences' | 'metadata' | 'service_tier'>;

interface SamplingOptions {
  readonly traits: AnthropicModelTraits;
  readonly isThinking: boolean;
  readonly report: ReportLoss;
}

/** Temperature and the like, as far as the model takes them; while it thinks only a high top_p. What asks for no more than the model does anyway is left out without a loss. */
export function toAnthropicSampling(request: ModelRequest, options: SamplingOptions): Sampling {
  const { temperature, topP, topK } = request;
  const { traits, isThinking, report } = options;
  const sampling: Sampling = {};
  if (traits.sampling === 'none' || isThinking) {
    const reason = traits.sampling === 'none' ? 'this model has no such setting' : 'it cannot be set while the model thinks';
    if ((temperature ?? 1) !== 1) report({ path: 'temperature', action: 'dropped', reason });
    if (topK !== null) report({ path: 'top_k', action: 'dropped', reason });
  } else {
    if (temperature !== null) sampling.temperature = toTemperature(temperature, report);
    if (topK !== null) sampling.top_k = topK;
  }
  if (topP !== null) addTopP(sampling, topP, options);
  return sampling;
}

function addTopP(sampling: Sampling, topP: number, { traits, isThinking, report }: SamplingOptions): void {
  const drop = (reason: string): void => {
    if (topP !== 1) report({ path: 'top_p', action: 'dropped', reason });
  };
  if (traits.sampling === 'none') drop('this model has no such setting');
  else if (isThinking && topP < 0.95) drop('it cannot be below 0.95 while the model thinks');
  else if (traits.sampling === 'either' && sampling.temperature !== undefined)
    drop('this model takes temperature or top_p, not both');
  else sampling.top_p = topP;
}

function toTemperature(temperature: number, report: ReportLoss): number {
  if (temperature <= 1) return temperature;
  report({ path: 'temperature', action: 'approximated', reason: 'the highest temperature of Anthropic is 1' });
  return 1;
}

/** Stop sequences, user id and service tier; and what Anthropic has no setting for is reported. */
export function toAnthropicSettings(request: ModelRequest, report: ReportLoss): OtherSettings {
  const settings: OtherSettings = {};
  const stop = request.stop.filter((text) => text.trim() !== '');
  if (stop.length > 0) settings.stop_sequences = stop;
  if (stop.length < request.stop.length)
    report({ path: 'stop', action: 'dropped', reason: 'Anthropic takes no stop sequence of white space only' });
  if (request.safetyIdentifier !== null) settings.metadata = { user_id: request.safetyIdentifier };
  addServiceTier(settings, request.serviceTier, report);
  reportUnknown(request, report);
  return settings;
}

function addServiceTier(settings: OtherSettings, tier: string | null, report: ReportLoss): void {
  if (tier === null) return;
  if (tier === 'auto') settings.service_tier = 'auto';
  else if (tier === 'default' || tier === 'standard_only') settings.service_tier = 'standard_only';
  else if (tier === 'priority') {
    settings.service_tier = 'auto';
    report({ path: 'service_tier', action: 'approximated', reason: 'Anthropic uses priority capacity where the account has it' });
  } else report({ path: 'service_tier', action: 'dropped', reason: 'Anthropic has no such service tier' });
}

/** A penalty of 0 is none. */
function reportUnknown(request: ModelRequest, report: ReportLoss): void {
  const asked: readonly (readonly [path: string, isAsked: boolean])[] = [
    ['seed', request.seed !== null],
    ['presence_penalty', (request.presencePenalty ?? 0) !== 0],
    ['frequency_penalty', (request.frequencyPenalty ?? 0) !== 0],
    ['top_logprobs', request.topLogprobs !== null],
    ['text.verbosity', request.verbosity !== null && request.verbosity !== 'medium'],
  ];
  for (const [path, isAsked] of asked) if (isAsked) report({ path, action: 'dropped', reason: 'Anthropic has no such setting' });
}
