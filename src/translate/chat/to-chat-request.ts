import type { Loss, Translated } from '../../model/loss.ts';
import type { ModelRequest } from '../../model/model-request.ts';
import type { ChatRequest } from '../../protocol/chat/request.ts';
import { toShortIdentifier } from '../short-identifier.ts';
import { createToolNames, type ToolNames } from '../tool-names.ts';
import type { ChatProfile } from './chat-profile.ts';
import type { ReportLoss } from './to-chat-content.ts';
import { toChatThinking } from './to-chat-effort.ts';
import { toChatFormat } from './to-chat-format.ts';
import { toChatMessages } from './to-chat-messages.ts';
import { toChatSampling } from './to-chat-sampling.ts';
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
    ...toChatSampling(request, profile, report),
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
function toReasoning(request: ModelRequest, profile: ChatProfile, report: ReportLoss): Partial<ChatRequest> {
  const { effort, summary } = request.reasoning;
  if (summary !== null && effort !== 'none' && profile.vendor === 'openai')
    report({ path: 'reasoning.summary', action: 'dropped', reason: 'this server never shows what a model thinks' });
  return toChatThinking(request, profile, report);
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
    ...(promptCacheKey !== null && { prompt_cache_key: toShortIdentifier(promptCacheKey) }),
    ...(safetyIdentifier !== null && { safety_identifier: toShortIdentifier(safetyIdentifier) }),
  };
}
