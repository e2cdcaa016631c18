import type { ModelRequest } from '../../model/model-request.ts';
import type { ChatRequest } from '../../protocol/chat/request.ts';
import { isThinkingModel } from '../responses/responses-profile.ts';
import type { ChatProfile } from './chat-profile.ts';
import { withoutRefusedSampling } from './openai-models.ts';
import type { ReportLoss } from './to-chat-content.ts';

/** How an answer is drawn and where it ends, in the fields this server knows; what it has no field for is a loss. */
export function toChatSampling(request: ModelRequest, profile: ChatProfile, report: ReportLoss): Partial<ChatRequest> {
  const { maxOutputTokens } = request;
  reportIgnoredSampling(request, profile, report);
  const taken = profile.vendor === 'openai' ? withoutRefusedSampling(request, report) : request;
  return {
    ...(maxOutputTokens !== null && { [profile.maxTokensField]: maxOutputTokens }),
    ...toDrawing(taken),
    ...toTopK(request, profile, report),
    ...toSeed(request, profile, report),
    ...toStop(request, profile, report),
    ...toLogprobs(taken, profile, report),
  };
}

function toDrawing({ temperature, topP, presencePenalty, frequencyPenalty }: ModelRequest): Partial<ChatRequest> {
  return {
    ...(temperature !== null && { temperature }),
    ...(topP !== null && { top_p: topP }),
    ...(presencePenalty !== null && { presence_penalty: presencePenalty }),
    ...(frequencyPenalty !== null && { frequency_penalty: frequencyPenalty }),
  };
}

/** DeepSeek accepts them while thinking, and does nothing with them. */
function reportIgnoredSampling(
  { model, reasoning, temperature, topP }: ModelRequest,
  profile: ChatProfile,
  report: ReportLoss,
): void {
  const thinks = reasoning.effort === null ? /reasoner|r1/i.test(model) : reasoning.effort !== 'none';
  if (profile.vendor !== 'deepseek' || !thinks) return;
  const reason = 'this server ignores it while the model thinks';
  if (temperature !== null) report({ path: 'temperature', action: 'dropped', reason });
  if (topP !== null) report({ path: 'top_p', action: 'dropped', reason });
}

function toTopK({ topK }: ModelRequest, profile: ChatProfile, report: ReportLoss): Partial<ChatRequest> {
  if (topK === null) return {};
  if (profile.topK) return { top_k: topK };
  report({ path: 'top_k', action: 'dropped', reason: 'this server has no such setting that is known' });
  return {};
}

/** Mistral's must not be negative: such a one keeps its low bits, so that equal seeds stay equal. */
function toSeed({ seed }: ModelRequest, { seedField }: ChatProfile, report: ReportLoss): Partial<ChatRequest> {
  if (seed === null) return {};
  if (seedField === 'random_seed') return { random_seed: seed < 0 ? seed >>> 0 : seed };
  if (seedField === 'seed') return { seed };
  report({ path: 'seed', action: 'dropped', reason: 'this server cannot be made to repeat itself' });
  return {};
}

/** OpenAI's models that think answer 400 to it, whatever the effort. */
function toStop({ stop, model }: ModelRequest, profile: ChatProfile, report: ReportLoss): Partial<ChatRequest> {
  if (stop.length === 0) return {};
  if (profile.vendor === 'openai' && isThinkingModel(model)) {
    report({ path: 'stop', action: 'dropped', reason: 'models of OpenAI that think stop at no text' });
    return {};
  }
  if (stop.length <= profile.maxStops) return { stop: [...stop] };
  report({
    path: 'stop',
    action: 'approximated',
    reason: `this server stops at ${profile.maxStops} texts at most; the first ones were taken`,
  });
  return { stop: stop.slice(0, profile.maxStops) };
}

function toLogprobs({ topLogprobs }: ModelRequest, profile: ChatProfile, report: ReportLoss): Partial<ChatRequest> {
  if (topLogprobs === null) return {};
  if (profile.logprobs) return { logprobs: true, ...(topLogprobs > 0 && { top_logprobs: topLogprobs }) };
  report({ path: 'top_logprobs', action: 'dropped', reason: 'this server reports no log probabilities' });
  return {};
}
