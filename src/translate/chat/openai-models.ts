import type { ModelRequest } from '../../model/model-request.ts';
import { effortForBudget } from '../effort-for-budget.ts';
import { isThinkingModel } from '../responses/responses-profile.ts';
import type { ReportLoss } from './to-chat-content.ts';

/** Models of OpenAI that never think, and answer 400 to `reasoning_effort`. A name that nobody knows is a newer model, and thinks. */
export function neverThinks(model: string): boolean {
  return /(^|[./:])(chatgpt-|gpt-(3\.5|4))|-chat\b/i.test(model);
}

/** Whether OpenAI answers 400 to `temperature` and its like: its first models that think always do, newer ones while they think. What they do when nobody says how much is their own matter. */
function refusesSampling({ model, reasoning, thinkingBudget }: ModelRequest): boolean {
  if (!isThinkingModel(model)) return false;
  if (/(^|[./:])(o[1-9]|gpt-5(-|$))/i.test(model)) return true;
  const effort = thinkingBudget === null ? reasoning.effort : effortForBudget(thinkingBudget);
  return effort !== null && effort !== 'none';
}

/** The request without what this model of OpenAI refuses of how an answer is drawn: each is a loss. Values that say what is so anyway are taken. */
export function withoutRefusedSampling(request: ModelRequest, report: ReportLoss): ModelRequest {
  if (!refusesSampling(request)) return request;
  const reason = 'this model of OpenAI takes no such setting while it thinks';
  const keep = (path: string, value: number | null, usual: number | null): number | null => {
    if (value === null || value === usual) return value;
    report({ path, action: 'dropped', reason });
    return null;
  };
  return {
    ...request,
    temperature: keep('temperature', request.temperature, 1),
    topP: keep('top_p', request.topP, 1),
    presencePenalty: keep('presence_penalty', request.presencePenalty, 0),
    frequencyPenalty: keep('frequency_penalty', request.frequencyPenalty, 0),
    topLogprobs: keep('top_logprobs', request.topLogprobs, null),
  };
}
