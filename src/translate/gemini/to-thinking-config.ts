import type { Loss, Translated } from '../../model/loss.ts';
import type { ReasoningSettings } from '../../model/model-request.ts';
import type { GeminiThinkingConfig } from '../../protocol/gemini/request.ts';
import type { ModelTraits, ThinkingControl } from './model-traits.ts';

const budgets = { low: 2048, medium: 8192, high: 24_576 } as const;
const levels = { low: 'LOW', medium: 'MEDIUM', high: 'HIGH' } as const;

/** `reasoning` → `thinkingConfig`: a level or a budget, never both (400). Undefined: nothing was asked for, so the model's default applies. */
export function toThinkingConfig(
  reasoning: ReasoningSettings,
  { thinking }: ModelTraits,
): Translated<GeminiThinkingConfig | undefined> {
  const losses: Loss[] = [];
  if (thinking.type === 'none') {
    const reason = 'this model does not think';
    if (reasoning.effort !== null && reasoning.effort !== 'none')
      losses.push({ path: 'reasoning.effort', action: 'dropped', reason });
    if (reasoning.summary !== null) losses.push({ path: 'reasoning.summary', action: 'dropped', reason });
    return { value: undefined, losses };
  }
  const config: GeminiThinkingConfig = {};
  if (reasoning.summary !== null) config.includeThoughts = true;
  if (reasoning.effort !== null) {
    const { value, rounded } =
      thinking.type === 'level' ? toLevel(reasoning.effort, thinking) : toBudget(reasoning.effort, thinking);
    Object.assign(config, value);
    if (rounded !== null) losses.push({ path: 'reasoning.effort', action: 'approximated', reason: rounded });
  }
  return { value: Object.keys(config).length > 0 ? config : undefined, losses };
}

interface Choice {
  readonly value: GeminiThinkingConfig;
  /** What was rounded and why, or null. */
  readonly rounded: string | null;
}

function toLevel(effort: string, { lowest }: Extract<ThinkingControl, { type: 'level' }>): Choice {
  switch (effort) {
    case 'none':
      return {
        value: { thinkingLevel: lowest },
        rounded: `thinking cannot be turned off on this model; its lowest level is ${lowest}`,
      };
    case 'minimal':
      return {
        value: { thinkingLevel: lowest },
        rounded: lowest === 'MINIMAL' ? null : `the lowest thinking level of this model is ${lowest}`,
      };
    case 'low':
    case 'medium':
    case 'high':
      return { value: { thinkingLevel: levels[effort] }, rounded: null };
    case 'xhigh':
    case 'max':
      return { value: { thinkingLevel: 'HIGH' }, rounded: 'the highest thinking level is HIGH' };
    default:
      return { value: {}, rounded: 'this effort is not known; the default of the model applies' };
  }
}

function toBudget(effort: string, { lowest, minimal }: Extract<ThinkingControl, { type: 'budget' }>): Choice {
  switch (effort) {
    case 'none':
      return {
        value: { thinkingBudget: lowest },
        rounded: lowest === 0 ? null : `thinking cannot be turned off on this model; its least budget is ${lowest} tokens`,
      };
    case 'minimal':
      return { value: { thinkingBudget: minimal }, rounded: null };
    case 'low':
    case 'medium':
    case 'high':
      return { value: { thinkingBudget: budgets[effort] }, rounded: null };
    case 'xhigh':
    case 'max':
      return { value: { thinkingBudget: budgets.high }, rounded: `the highest thinking budget is ${budgets.high} tokens` };
    default:
      return { value: {}, rounded: 'this effort is not known; the default of the model applies' };
  }
}
