import type { Loss } from '../../model/loss.ts';
import type { CreateResponseRequest } from '../../protocol/responses/request.ts';
import { noteUnknownKeys } from '../../translate/parse/note-unknown-keys.ts';
import { isAbsent, parseChoice, parseObject, parseString } from '../../translate/parse/parse-value.ts';

const efforts = ['none', 'minimal', 'low', 'medium', 'high', 'xhigh', 'max'] as const;
const summaries = ['auto', 'concise', 'detailed'] as const;
const contexts = ['auto', 'current_turn', 'all_turns'];

/** `reasoning`. The deprecated `generate_summary` counts where `summary` is not given. */
export function parseReasoning(value: unknown, losses: Loss[]): CreateResponseRequest['reasoning'] {
  const reasoning = parseObject(value, 'reasoning');
  const effort = isAbsent(reasoning.effort) ? null : parseChoice(reasoning.effort, 'reasoning.effort', efforts);
  const summary = isAbsent(reasoning.summary) ? null : parseChoice(reasoning.summary, 'reasoning.summary', summaries);
  const oldSummary = isAbsent(reasoning.generate_summary)
    ? null
    : parseChoice(reasoning.generate_summary, 'reasoning.generate_summary', summaries);
  // What the client sends of earlier turns' reasoning goes to the model: that is `all_turns`, and `auto` leaves it to us.
  if (!isAbsent(reasoning.context) && parseChoice(reasoning.context, 'reasoning.context', contexts) === 'current_turn') {
    losses.push({
      path: 'reasoning.context',
      action: 'approximated',
      reason: 'the reasoning of earlier turns is given to the model as far as it is in the input',
    });
  }
  if (!isAbsent(reasoning.mode) && parseString(reasoning.mode, 'reasoning.mode') !== 'standard') {
    losses.push({ path: 'reasoning.mode', action: 'dropped', reason: 'only the standard mode of reasoning is available here' });
  }
  noteUnknownKeys(reasoning, 'reasoning', ['effort', 'summary', 'generate_summary', 'context', 'mode'], losses);
  return { effort, summary: summary ?? oldSummary };
}
