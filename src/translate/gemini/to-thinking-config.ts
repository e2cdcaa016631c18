import type { Loss, Translated } from '../../model/loss.ts';
import type { ModelRequest } from '../../model/model-request.ts';
import type { GeminiThinkingConfig } from '../../protocol/gemini/request.ts';
import type { ModelTraits, ThinkingControl } from './model-traits.ts';

const budgets = { low: 2048, medium: 8192, high: 24_576 } as const;
/** Half way between the budgets of the levels. */
const levelBounds = [
  { upTo: 4096, level: 'LOW' },
  { upTo: 16_384, level: 'MEDIUM' },
] as const;
const levels = { low: 'LOW', medium: 'MEDIUM', high: 'HIGH' } as const;

/**
 * `reasoning` and `thinking_budget` → `thinkingConfig`: a level or a budget, never both (400). A budget that the client named wins over its effort. Undefined: nothing was asked
 * for, so the model's default applies.
 */
export function toThinkingConfig(
  settings: ThinkingSettings,
  { thinking }: Pick<ModelTraits, 'thinking'>,
): Translated<GeminiThinkingConfig | undefined> {
  if (thinking.type === 'none') return { value: undefined, losses: toUnusedLosses(settings) };
  const { reasoning, thinkingBudget } = settings;
  const config: GeminiThinkingConfig = {};
  if (reasoning.summary !== null) config.includeThoughts = true;
  const chosen = chooseAmount(reasoning.effort, thinkingBudget, thinking);
  Object.assign(config, chosen.value);
  const path = thinkingBudget === null ? 'reasoning.effort' : 'thinking_budget';
  const losses: Loss[] = chosen.rounded === null ? [] : [{ path, action: 'approximated', reason: chosen.rounded }];
  return { value: Object.keys(config).length > 0 ? config : undefined, losses };
}

type ThinkingSettings = Pick<ModelRequest, 'reasoning' | 'thinkingBudget'>;

function toUnusedLosses({ reasoning, thinkingBudget }: ThinkingSettings): Loss[] {
  const losses: Loss[] = [];
  const reason = 'this model does not think';
  if (thinkingBudget !== null) {
    if (thinkingBudget > 0) losses.push({ path: 'thinking_budget', action: 'dropped', reason });
  } else if (reasoning.effort !== null && reasoning.effort !== 'none')
    losses.push({ path: 'reasoning.effort', action: 'dropped', reason });
  if (reasoning.summary !== null) losses.push({ path: 'reasoning.summary', action: 'dropped', reason });
  return losses;
}

function chooseAmount(
  effort: string | null,
  budget: number | null,
  thinking: Exclude<ThinkingControl, { type: 'none' }>,
): Choice {
  if (budget !== null) return takeBudget(budget, thinking);
  if (effort === null) return { value: {}, rounded: null };
  return thinking.type === 'level' ? toLevel(effort, thinking) : toBudget(effort, thinking);
}

interface Choice {
  readonly value: GeminiThinkingConfig;
  /** What was rounded and why, or null. */
  readonly rounded: string | null;
}

/** The client's own number of tokens, within the model's bounds; the nearest level where the model has levels. */
function takeBudget(tokens: number, thinking: Exclude<ThinkingControl, { type: 'none' }>): Choice {
  if (thinking.type === 'level') {
    const level = tokens === 0 ? thinking.lowest : (levelBounds.find(({ upTo }) => tokens <= upTo)?.level ?? 'HIGH');
    return {
      value: { thinkingLevel: level },
      rounded: `this model is told a level instead of a number of tokens; ${level} was taken`,
    };
  }
  const { lowest, highest } = thinking;
  const bounded = Math.min(Math.max(tokens, lowest), highest);
  const rounded = bounded === tokens ? null : `the thinking budget of this model lies between ${lowest} and ${highest} tokens`;
  return { value: { thinkingBudget: bounded }, rounded };
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
