import type { ModelRequest } from '../../model/model-request.ts';
import { mapAnthropicModelTraits } from '../anthropic/anthropic-model-traits.ts';
import type { ReportLoss } from '../chat/to-chat-content.ts';
import { effortForBudget } from '../effort-for-budget.ts';
import { mapModelTraits } from '../gemini/model-traits.ts';
import { toThinkingConfig } from '../gemini/to-thinking-config.ts';
import type { AiSdkProfile } from './ai-sdk-profile.ts';

type Members = { readonly [name: string]: unknown };
type Wish = Pick<ModelRequest, 'model' | 'reasoning' | 'thinkingBudget'>;

/** How much is thought, and whether it is shown, in the provider's own options. Tokens to think for win over an effort; where there is only the one, the nearest other is taken, with a loss. */
export function toAiSdkThinking(request: Wish, profile: AiSdkProfile, report: ReportLoss): Members {
  switch (profile.family) {
    case 'google':
      return toGoogle(request, report);
    case 'anthropic':
      return toAnthropic(request, report);
    case 'openai':
      return { ...toLevel(request, openaiLevels, report), ...toSummary(request, profile, report) };
    case 'openrouter':
      return toOpenrouter(request, report);
    case 'deepseek':
      return toDeepseek(request, report);
    case 'openai-compatible':
      return toLevel(request, openaiLevels, report);
    case 'xai':
      return toLevel(request, xaiLevels, report);
    case 'groq':
      return toLevel(request, /qwen/i.test(request.model) ? qwenLevels : groqLevels, report);
    case 'mistral':
    case 'other':
      return toLevel(request, {}, report);
  }
}

/** The provider's word for each effort; it refuses the whole request for a word it does not know. */
type Levels = { readonly [effort: string]: string };

const openaiLevels: Levels = {
  ...{ none: 'none', minimal: 'minimal', low: 'low', medium: 'medium', high: 'high', xhigh: 'xhigh', max: 'max' },
};
const xaiLevels: Levels = {
  none: 'none',
  minimal: 'low',
  low: 'low',
  medium: 'medium',
  high: 'high',
  xhigh: 'xhigh',
  max: 'xhigh',
};
const groqLevels: Levels = {
  none: 'none',
  minimal: 'low',
  low: 'low',
  medium: 'medium',
  high: 'high',
  xhigh: 'high',
  max: 'high',
};
/** Qwen can only be switched. */
const qwenLevels: Levels = {
  ...{ none: 'none', minimal: 'default', low: 'default', medium: 'default', high: 'default', xhigh: 'default', max: 'default' },
};

function toLevel(request: Wish, levels: Levels, report: ReportLoss): Members {
  const effort = effortOf(request);
  if (effort === null) return {};
  const path = pathOf(request);
  const level = levels[effort];
  if (level === undefined) {
    report({ path, action: 'dropped', reason: 'this provider has no setting for it that is known' });
    return {};
  }
  if (level !== effort || (request.thinkingBudget ?? 0) > 0) report({ path, action: 'approximated', reason: nearest });
  return { reasoningEffort: level };
}

const nearest = 'the nearest setting of this provider was taken';

function effortOf({ reasoning, thinkingBudget }: Wish): string | null {
  return thinkingBudget === null ? reasoning.effort : effortForBudget(thinkingBudget);
}

function pathOf({ thinkingBudget }: Wish): string {
  return thinkingBudget === null ? 'reasoning.effort' : 'thinking_budget';
}

/** OpenAI shows summaries only through its Responses API. */
function toSummary(request: Wish, { isResponsesApi }: AiSdkProfile, report: ReportLoss): Members {
  const { summary, isWish = false } = request.reasoning;
  // OpenAI refuses it for models that do not think, and for organisations that it has not verified.
  if (summary === null || isWish || effortOf(request) === 'none') return {};
  if (isResponsesApi) return { reasoningSummary: summary };
  report({ path: 'reasoning.summary', action: 'dropped', reason: 'this server never shows what a model thinks' });
  return {};
}

/** A level or a number, as the model's generation wants it; the SDK writes levels in lower case. */
function toGoogle(request: Wish, report: ReportLoss): Members {
  const { value, losses } = toThinkingConfig(request, mapModelTraits(request.model.replace(/^.*\//, '')));
  for (const loss of losses) report(loss);
  if (value === undefined) return {};
  const { thinkingLevel, ...config } = value;
  return { thinkingConfig: { ...config, ...(thinkingLevel !== undefined && { thinkingLevel: thinkingLevel.toLowerCase() }) } };
}

/** What the efforts become where a model only counts tokens. The SDK adds them to the limit of the answer by itself. */
const budgets: { readonly [effort: string]: number } = {
  ...{ minimal: 1024, low: 2048, medium: 8192, high: 24_576, xhigh: 32_000, max: 32_000 },
};
/** Anthropic's own minimum. */
const leastBudget = 1024;

function toAnthropic(request: Wish, report: ReportLoss): Members {
  const { thinking, takesBudget } = mapAnthropicModelTraits(request.model);
  const effort = effortOf(request);
  if (effort === null) return {};
  if (thinking === 'none') {
    if (effort !== 'none') report({ path: pathOf(request), action: 'dropped', reason: 'this model does not think' });
    return {};
  }
  if (effort === 'none') return { thinking: { type: 'disabled' } };
  const wantsBudget = thinking === 'budget' || request.thinkingBudget !== null;
  return takesBudget && wantsBudget ? toBudget(request, effort, report) : toAdaptive(request, effort, report);
}

function toBudget({ thinkingBudget }: Wish, effort: string, report: ReportLoss): Members {
  const budgetTokens = Math.max(leastBudget, thinkingBudget ?? budgets[effort] ?? leastBudget);
  if (thinkingBudget !== null && budgetTokens !== thinkingBudget)
    report({ path: 'thinking_budget', action: 'approximated', reason: `it cannot be less than ${leastBudget} tokens` });
  return { thinking: { type: 'enabled', budgetTokens } };
}

function toAdaptive(request: Wish, effort: string, report: ReportLoss): Members {
  const level = effort === 'minimal' ? 'low' : effort;
  if (request.thinkingBudget !== null || level !== effort)
    report({ path: pathOf(request), action: 'approximated', reason: nearest });
  const isShown = request.reasoning.summary !== null;
  return { thinking: { type: 'adaptive', ...(isShown && { display: 'summarized' }) }, effort: level };
}

function toOpenrouter(request: Wish, report: ReportLoss): Members {
  const { thinkingBudget } = request;
  if (thinkingBudget !== null && thinkingBudget > 0) return { reasoning: { max_tokens: thinkingBudget } };
  const effort = effortOf(request);
  if (effort === null) return {};
  const level = effort === 'max' ? 'xhigh' : effort;
  if (level !== effort) report({ path: pathOf(request), action: 'approximated', reason: nearest });
  return { reasoning: { effort: level } };
}

/** It can only be switched. */
function toDeepseek(request: Wish, report: ReportLoss): Members {
  const effort = effortOf(request);
  if (effort === null) return {};
  if (effort !== 'none') report({ path: pathOf(request), action: 'approximated', reason: nearest });
  return { thinking: { type: effort === 'none' ? 'disabled' : 'enabled' } };
}
