import type { ModelRequest } from '../../model/model-request.ts';
import type { AnthropicEffort, AnthropicThinking } from '../../protocol/anthropic/request.ts';
import type { AnthropicModelTraits } from './anthropic-model-traits.ts';
import type { ReportLoss } from './to-anthropic-content.ts';

/** How a turn thinks. `unset`: nobody asked, the model's default applies. */
export type ThinkingPlan =
  | { readonly type: 'unset' }
  | { readonly type: 'off' }
  | { readonly type: 'adaptive'; readonly effort: AnthropicEffort | null }
  | { readonly type: 'enabled'; readonly budget: number; readonly isExact: boolean };

/** `max_tokens` with the thinking that fits into it. */
export interface AnthropicThinkingFields {
  readonly maxTokens: number;
  readonly thinking: AnthropicThinking | undefined;
  readonly effort: AnthropicEffort | null;
}

/** The least budget there is. */
const leastBudget = 1024;

const budgets: ReadonlyMap<string, number> = new Map(
  Object.entries({ minimal: leastBudget, low: 2048, medium: 8192, high: 24_576, xhigh: 32_000, max: 32_000 }),
);

const efforts: ReadonlyMap<string, AnthropicEffort> = new Map(
  Object.entries({ minimal: 'low', low: 'low', medium: 'medium', high: 'high', xhigh: 'xhigh', max: 'max' }),
);

/** What `reasoning` and the thinking budget ask of a model of this kind. What cannot be had is reported. */
export function planThinking(request: ModelRequest, traits: AnthropicModelTraits, report: ReportLoss): ThinkingPlan {
  const { thinkingBudget: budget, reasoning } = request;
  const isOff = budget === null ? reasoning.effort === 'none' : budget === 0;
  if (traits.thinking === 'none') {
    const isAsked = (budget ?? reasoning.effort) !== null && !isOff;
    if (isAsked) report({ path: thinkingPath(request), action: 'dropped', reason: 'this model does not think' });
    return { type: 'unset' };
  }
  if (isOff) return planOff(request, traits, report);
  if (budget !== null) return planBudget(budget, traits, report);
  if (reasoning.effort !== null) return planEffort(reasoning.effort, traits, report);
  // A wish to see thoughts is none to pay for them.
  return reasoning.summary === null || reasoning.isWish === true ? { type: 'unset' } : planDefault(traits);
}

/** As much as the model likes: only an adaptive one can be asked that. */
function planDefault(traits: AnthropicModelTraits): ThinkingPlan {
  return traits.thinking === 'adaptive' ? { type: 'adaptive', effort: null } : { type: 'unset' };
}

/** Where the client said how to think. */
export function thinkingPath({ thinkingBudget, reasoning }: ModelRequest): string {
  if (thinkingBudget !== null) return 'thinking_budget';
  return reasoning.effort === null ? 'reasoning.summary' : 'reasoning.effort';
}

function planOff(request: ModelRequest, traits: AnthropicModelTraits, report: ReportLoss): ThinkingPlan {
  if (traits.canTurnThinkingOff) return { type: 'off' };
  const reason = 'thinking cannot be turned off on this model; its least effort was taken';
  report({ path: thinkingPath(request), action: 'approximated', reason });
  return { type: 'adaptive', effort: 'low' };
}

function planBudget(asked: number, traits: AnthropicModelTraits, report: ReportLoss): ThinkingPlan {
  // Gemini's clients write -1 for it.
  if (asked < 0) return planDefault(traits);
  if (!traits.takesBudget) {
    const reason = 'this model takes no number of tokens to think for; the nearest effort was taken';
    report({ path: 'thinking_budget', action: 'approximated', reason });
    return { type: 'adaptive', effort: nearestEffort(asked) };
  }
  if (asked >= leastBudget) return { type: 'enabled', budget: asked, isExact: true };
  const reason = `the least thinking budget is ${String(leastBudget)} tokens`;
  report({ path: 'thinking_budget', action: 'approximated', reason });
  return { type: 'enabled', budget: leastBudget, isExact: true };
}

/** What is left of a plan with a budget where the history does not allow one. */
export function withoutBudget(plan: ThinkingPlan, traits: AnthropicModelTraits): ThinkingPlan {
  if (plan.type !== 'enabled') return plan;
  return traits.thinking === 'adaptive' ? { type: 'adaptive', effort: nearestEffort(plan.budget) } : { type: 'off' };
}

function nearestEffort(budget: number): AnthropicEffort {
  if (budget <= 2048) return 'low';
  if (budget <= 8192) return 'medium';
  return budget <= 24_576 ? 'high' : 'max';
}

function planEffort(asked: string, traits: AnthropicModelTraits, report: ReportLoss): ThinkingPlan {
  const path = 'reasoning.effort';
  const budget = budgets.get(asked);
  const effort = efforts.get(asked);
  if (budget === undefined || effort === undefined) {
    report({ path, action: 'dropped', reason: 'this effort is not known; the default of the model applies' });
    return { type: 'unset' };
  }
  if (traits.thinking === 'budget') return { type: 'enabled', budget, isExact: false };
  const taken = effort === 'xhigh' && !traits.hasXhighEffort ? 'high' : effort;
  if (taken !== asked) report({ path, action: 'approximated', reason: `the nearest effort of this model was taken: ${taken}` });
  return { type: 'adaptive', effort: taken };
}

/**
 * The plan as fields of the request. `max_tokens` is what the client said, thinking included; without its word it is the model's default (32,000; 64,000 where an adaptive model may think
 * hard; 4096 or 8192 on Claude 3) and the budget on top, as far as the model allows. A budget has to leave room for an answer: three quarters of the client's limit at most.
 */
export function toThinkingFields(
  request: ModelRequest,
  plan: ThinkingPlan,
  { traits, report }: { readonly traits: AnthropicModelTraits; readonly report: ReportLoss },
): AnthropicThinkingFields {
  const maxTokens = toMaxTokens(request, plan, { traits, report });
  const display = request.reasoning.summary === null ? {} : ({ display: 'summarized' } as const);
  switch (plan.type) {
    case 'unset':
      return { maxTokens, thinking: undefined, effort: null };
    case 'off':
      return { maxTokens, thinking: { type: 'disabled' }, effort: null };
    case 'adaptive':
      return { maxTokens, thinking: { type: 'adaptive', ...display }, effort: plan.effort };
    case 'enabled':
      return { maxTokens, thinking: fitBudget(request, plan, { maxTokens, report }), effort: null };
  }
}

function toMaxTokens(
  { maxOutputTokens }: ModelRequest,
  plan: ThinkingPlan,
  { traits, report }: { readonly traits: AnthropicModelTraits; readonly report: ReportLoss },
): number {
  const { defaultTokens } = traits;
  const most = traits.maxTokens ?? Infinity;
  if (maxOutputTokens === null) {
    if (plan.type === 'enabled') return Math.min(defaultTokens + plan.budget, most);
    return Math.min(plan.type === 'adaptive' ? 2 * defaultTokens : defaultTokens, most);
  }
  if (maxOutputTokens <= most) return maxOutputTokens;
  const reason = `this model writes ${String(most)} tokens at most`;
  report({ path: 'max_output_tokens', action: 'approximated', reason });
  return most;
}

function fitBudget(
  request: ModelRequest,
  { budget, isExact }: Extract<ThinkingPlan, { type: 'enabled' }>,
  { maxTokens, report }: { readonly maxTokens: number; readonly report: ReportLoss },
): AnthropicThinking {
  const room = Math.floor(maxTokens * 0.75);
  const path = thinkingPath(request);
  if (budget <= room || (isExact && budget < maxTokens)) return { type: 'enabled', budget_tokens: budget };
  if (room < leastBudget) {
    const reason = 'max_output_tokens leaves no room for thinking, so it is off for this turn';
    report({ path, action: 'dropped', reason });
    return { type: 'disabled' };
  }
  report({ path, action: 'approximated', reason: 'thinking was shortened to what max_output_tokens leaves room for' });
  return { type: 'enabled', budget_tokens: room };
}
