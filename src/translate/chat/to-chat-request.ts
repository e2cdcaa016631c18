import type { Loss, Translated } from '../../model/loss.ts';
import type { ModelRequest } from '../../model/model-request.ts';
import type { ChatRequest } from '../../protocol/chat/request.ts';
import { createToolNames, type ToolNames } from '../tool-names.ts';
import type { ChatProfile } from './chat-profile.ts';
import type { ReportLoss } from './to-chat-content.ts';
import { toChatEffort } from './to-chat-effort.ts';
import { toChatFormat } from './to-chat-format.ts';
import { toChatMessages } from './to-chat-messages.ts';
import { toChatTools } from './to-chat-tools.ts';

/** The body of `POST {base}/chat/completions` for this server. Only fields the profile knows are sent. What changes the answer and cannot be said is a loss; mere hints are left out. */
export function toChatRequest(request: ModelRequest, profile: ChatProfile): Translated<ChatRequest> {
  const losses: Loss[] = [];
  const report: ReportLoss = (loss) => losses.push(loss);
  const toolNames = chatToolNames(request, profile);
  const format = toChatFormat(request, profile, report);
  const messages = toChatMessages(request, { profile, toolNames, extraInstructions: format.instructions, report });
  const value: ChatRequest = {
    model: request.model,
    messages,
    ...toChatTools(request, { profile, toolNames, report }),
    ...(format.responseFormat !== undefined && { response_format: format.responseFormat }),
    ...toReasoning(request, profile, report),
    ...toSampling(request, profile, report),
    ...toService(request, profile, report),
    ...(request.stream && { stream: true, stream_options: { include_usage: true } }),
  };
  return { value, losses };
}

/** The aliases of one request: of its tools and of every call in its history. The same object reads the answer. */
export function chatToolNames(request: ModelRequest, profile: ChatProfile): ToolNames {
  const called = request.input.flatMap((item) => (item.type === 'call' ? [item.name] : []));
  return createToolNames([...request.tools.map(({ name }) => name), ...called], profile.toolNameRule);
}

/** OpenAI thinks in secret: its chat completions have no thinking text. Whether other servers show some depends on their models. */
function toReasoning({ model, reasoning }: ModelRequest, profile: ChatProfile, report: ReportLoss): Partial<ChatRequest> {
  const { effort, summary } = reasoning;
  if (summary !== null && effort !== 'none' && profile.vendor === 'openai')
    report({ path: 'reasoning.summary', action: 'dropped', reason: 'this server never shows what a model thinks' });
  return toChatEffort(effort, model, profile, report);
}

function toSampling(request: ModelRequest, profile: ChatProfile, report: ReportLoss): Partial<ChatRequest> {
  const { maxOutputTokens, temperature, topP, presencePenalty, frequencyPenalty } = request;
  reportIgnoredSampling(request, profile, report);
  return {
    ...(maxOutputTokens !== null && { [profile.maxTokensField]: maxOutputTokens }),
    ...(temperature !== null && { temperature }),
    ...(topP !== null && { top_p: topP }),
    ...(presencePenalty !== null && { presence_penalty: presencePenalty }),
    ...(frequencyPenalty !== null && { frequency_penalty: frequencyPenalty }),
    ...toLogprobs(request, profile, report),
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

function toLogprobs({ topLogprobs }: ModelRequest, profile: ChatProfile, report: ReportLoss): Partial<ChatRequest> {
  if (topLogprobs === null) return {};
  if (profile.logprobs) return { logprobs: true, ...(topLogprobs > 0 && { top_logprobs: topLogprobs }) };
  report({ path: 'top_logprobs', action: 'dropped', reason: 'this server reports no log probabilities' });
  return {};
}

function toService(request: ModelRequest, profile: ChatProfile, report: ReportLoss): Partial<ChatRequest> {
  const { serviceTier } = request;
  // `auto` and `default` ask for what every server does anyway.
  const wantsTier = serviceTier !== null && serviceTier !== 'auto' && serviceTier !== 'default';
  if (wantsTier && !profile.serviceTier)
    report({ path: 'service_tier', action: 'dropped', reason: 'this server has no service tiers' });
  return {
    ...toVerbosity(request, profile, report),
    ...(serviceTier !== null && profile.serviceTier && { service_tier: serviceTier }),
    ...(profile.hints && toHints(request)),
  };
}

function toVerbosity({ verbosity }: ModelRequest, profile: ChatProfile, report: ReportLoss): Partial<ChatRequest> {
  if (verbosity === null) return {};
  if (profile.verbosity) return { verbosity };
  // `medium` is the default.
  if (verbosity !== 'medium') report({ path: 'text.verbosity', action: 'dropped', reason: 'this server has no such setting' });
  return {};
}

function toHints({ promptCacheKey, safetyIdentifier }: ModelRequest): Partial<ChatRequest> {
  return {
    ...(promptCacheKey !== null && { prompt_cache_key: promptCacheKey }),
    ...(safetyIdentifier !== null && { safety_identifier: safetyIdentifier }),
  };
}
