import type { ReasoningParam } from '../../protocol/responses/request.ts';
import { toUnknownParameter } from '../parse/note-unknown-keys.ts';
import { parseBoolean, parseChoice, parseInteger, parseString } from '../parse/parse-value.ts';
import { invalid } from '../parse/request-error.ts';
import { readMembers, type Member, type Members } from './from-gemini-request-members.ts';
import type { RequestTarget } from './from-gemini-request-target.ts';

const levels = ['minimal', 'low', 'medium', 'high'] as const;
const known = ['includeThoughts', 'thinkingLevel', 'thinkingBudget'];

/**
 * `thinkingConfig` → `reasoning` and `thinking_budget`. A budget goes on as it is, and as the nearest effort too, for servers that know only levels; -1 leaves it to the model. Gemini refuses
 * a level beside a budget, and so do we.
 */
export function readThinkingConfig({ request, losses, fields }: RequestTarget, source: Member): void {
  const config = readMembers(source);
  const reasoning: ReasoningParam = { effort: null, summary: null };
  const budget = config.get('thinkingBudget');
  const level = config.get('thinkingLevel');
  if (readFlag(config.get('includeThoughts'))) {
    reasoning.summary = 'auto';
    fields.set('reasoning.summary', config.get('includeThoughts').path);
  }
  if (level.value !== undefined) {
    checkOneControl(config);
    reasoning.effort = mapLevel(level);
    fields.set('reasoning.effort', level.path);
  }
  if (budget.value !== undefined) {
    const tokens = parseInteger(budget.value, budget.path, { min: -1, max: Number.MAX_SAFE_INTEGER });
    request.thinking_budget = tokens === -1 ? null : tokens;
    reasoning.effort ??= tokens === -1 ? null : toEffort(tokens);
    fields.set('thinking_budget', budget.path);
    if (level.value === undefined) fields.set('reasoning.effort', budget.path);
  }
  fields.set('reasoning', source.path);
  request.reasoning = reasoning;
  for (const [name, { path }] of config)
    if (!known.includes(name)) losses.push(toUnknownParameter(path, 'thinking has no such setting'));
}

function readFlag({ value, path }: Member): boolean {
  return value !== undefined && parseBoolean(value, path);
}

function checkOneControl(config: Members): void {
  if (!config.has('thinkingBudget')) return;
  const { path } = config.get('thinkingBudget');
  const message = `Mutually exclusive parameters: '${path}'. Ensure you are only providing one of: 'thinkingLevel' or 'thinkingBudget'.`;
  throw invalid('mutually_exclusive_parameters', path, message);
}

/** Lower case is taken too, as Google does in practice. */
function mapLevel({ value, path }: Member): ReasoningParam['effort'] {
  const level = parseString(value, path).toLowerCase();
  if (level === 'thinking_level_unspecified') return null;
  return parseChoice(level, path, levels);
}

/** Between the budgets that the efforts have at Gemini 2.5 (`to-thinking-config`). */
function toEffort(tokens: number): ReasoningParam['effort'] {
  if (tokens === 0) return 'none';
  if (tokens <= 512) return 'minimal';
  if (tokens <= 4096) return 'low';
  return tokens <= 16_384 ? 'medium' : 'high';
}
