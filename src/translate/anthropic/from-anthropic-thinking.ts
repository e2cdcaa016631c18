import type { Loss } from '../../model/loss.ts';
import type { CreateResponseRequest, ReasoningParam } from '../../protocol/responses/request.ts';
import { isAbsent, parseChoice, parseInteger, parseObject } from '../parse/parse-value.ts';

/** Anthropic's own minimum. */
const minimumBudget = 1024;
/** Up to how many tokens to think for a level is the nearest one, for models that know levels only. */
const nearLevels = [
  { effort: 'low', upTo: 4096 },
  { effort: 'medium', upTo: 16_384 },
] as const;

type Effort = NonNullable<ReasoningParam['effort']>;
const efforts = ['low', 'medium', 'high', 'xhigh', 'max'] as const;

/**
 * `thinking` and `output_config.effort` in the hub's words. Thinking is shown (`summary`) when it is on and `display` does not say `omitted`. Without `thinking` an effort only steers how
 * much the model does. `adaptive` without an effort is `high`, as it is for Anthropic. Throws GatewayError with `param`.
 */
export function fromAnthropicThinking(
  thinking: unknown,
  effort: unknown,
  losses: Loss[],
): Pick<CreateResponseRequest, 'reasoning' | 'thinking_budget'> {
  const asked: Effort | null = isAbsent(effort) ? null : parseChoice(effort, 'output_config.effort', efforts);
  if (isAbsent(thinking)) return toReasoning(asked, null);
  const settings = parseObject(thinking, 'thinking');
  const type = parseChoice(settings.type, 'thinking.type', ['enabled', 'adaptive', 'disabled', 'between_tools']);
  const isOmitted =
    !isAbsent(settings.display) && parseChoice(settings.display, 'thinking.display', ['summarized', 'omitted']) === 'omitted';
  const summary = isOmitted ? null : 'auto';
  switch (type) {
    case 'disabled':
      if (asked !== null)
        losses.push({ path: 'output_config.effort', action: 'dropped', reason: 'it steers thinking here, which is disabled' });
      return toReasoning('none', null);
    case 'enabled': {
      const limits = { min: minimumBudget, max: Number.MAX_SAFE_INTEGER };
      const budget = parseInteger(settings.budget_tokens, 'thinking.budget_tokens', limits);
      return { ...toReasoning(asked ?? toNearEffort(budget), summary), thinking_budget: budget };
    }
    case 'between_tools':
      losses.push({ path: 'thinking.type', action: 'approximated', reason: 'the model decides itself when it thinks' });
      return toReasoning(asked ?? 'high', summary);
    case 'adaptive':
      return toReasoning(asked ?? 'high', summary);
  }
}

function toReasoning(
  effort: Effort | null,
  summary: ReasoningParam['summary'],
): Pick<CreateResponseRequest, 'reasoning' | 'thinking_budget'> {
  return { reasoning: effort === null && summary === null ? null : { effort, summary }, thinking_budget: null };
}

function toNearEffort(budget: number): Effort {
  return nearLevels.find(({ upTo }) => budget <= upTo)?.effort ?? 'high';
}
