import type { CascadeStep } from './read-step.ts';

/**
 * Whether the agent's last words are of a model call that the tap did not see, although it saw others of the turn: an agent that shortens its own history in mid-turn can lose the mark with it. There are
 * more answers than calls that were seen, and the last one's words are not among `said`. Neither alone tells: agents change texts, and make several steps of one answer.
 */
export function hasUnseenAnswer(
  steps: readonly (CascadeStep | null)[],
  { mainCalls, said }: { readonly mainCalls: number; readonly said: string },
): boolean {
  const answers = steps.filter((step) => step?.kind === 'answer');
  const last = answers.findLast((step) => step !== null && step.text.trim() !== '')?.text.trim() ?? '';
  return answers.length > mainCalls && last !== '' && !said.includes(last);
}
