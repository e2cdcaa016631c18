import type { ModelRequest } from '../../model/model-request.ts';
import { effortForBudget } from '../effort-for-budget.ts';
import { isThinkingModel } from '../responses/responses-profile.ts';

/** Models of OpenAI that never think, and answer 400 to `reasoning_effort`. A name that nobody knows is a newer model, and thinks. */
export function neverThinks(model: string): boolean {
  return /(^|[./:])(chatgpt-|gpt-(3\.5|4))|-chat\b/i.test(model);
}

/** Whether OpenAI answers 400 to `temperature` and its like: its first models that think always do, newer ones while they think. What they do when nobody says how much is their own matter. */
export function refusesSampling({ model, reasoning, thinkingBudget }: ModelRequest): boolean {
  if (!isThinkingModel(model)) return false;
  if (/(^|[./:])(o[1-9]|gpt-5(-|$))/i.test(model)) return true;
  const effort = thinkingBudget === null ? reasoning.effort : effortForBudget(thinkingBudget);
  return effort !== null && effort !== 'none';
}
