import type { ModelRequest } from '../../model/model-request.ts';
import type { CreateResponseBody } from '../../protocol/responses/create-body.ts';
import { neverThinks } from '../chat/openai-models.ts';
import type { ReportLoss } from '../chat/to-chat-content.ts';
import { effortForBudget } from '../effort-for-budget.ts';
import type { ResponsesProfile } from './responses-profile.ts';

/** How much is thought, and whether it is shown. Tokens to think for have no field here: the nearest effort is taken. */
export function toResponsesReasoning(
  request: ModelRequest,
  profile: ResponsesProfile,
  report: ReportLoss,
): Pick<CreateResponseBody, 'reasoning'> {
  const { model, reasoning, thinkingBudget } = request;
  // OpenAI refuses it for models that do not think, and for organisations that it has not verified.
  const summary = reasoning.isWish === true && !profile.grantsSummaries ? null : reasoning.summary;
  const effort = thinkingBudget === null ? reasoning.effort : effortForBudget(thinkingBudget);
  if (profile.hasOpenaiModels && neverThinks(model)) {
    reportNoThinking({ effort, summary, hasBudget: thinkingBudget !== null }, report);
    return {};
  }
  if (thinkingBudget !== null && thinkingBudget >= 0)
    report({
      path: 'thinking_budget',
      action: 'approximated',
      reason: 'this protocol has no budget of tokens to think for; the nearest effort was taken',
    });
  if (effort === null && summary === null) return {};
  return { reasoning: { ...(effort !== null && { effort }), ...(summary !== null && { summary }) } };
}

interface AskedThinking {
  readonly effort: string | null;
  readonly summary: string | null;
  readonly hasBudget: boolean;
}

function reportNoThinking({ effort, summary, hasBudget }: AskedThinking, report: ReportLoss): void {
  const reason = 'this model of OpenAI does not think';
  if (effort !== null && effort !== 'none')
    report({ path: hasBudget ? 'thinking_budget' : 'reasoning.effort', action: 'dropped', reason });
  if (summary !== null) report({ path: 'reasoning.summary', action: 'dropped', reason });
}
