import type { Loss } from '../../model/loss.ts';
import type { LintRule } from './lint/lint-rules.ts';

/** What is done about a broken rule. Null: nothing has to be repaired, or the end of the answer tells it by itself (a failure, counted tokens). */
export const repairs: { readonly [rule in LintRule]: string | null } = {
  'not-json': null,
  'event-name': null,
  'event-shape': 'the event was passed over',
  'unknown-event': null,
  'sequence-number': 'the events were numbered anew',
  'created-first': 'the answer was begun without it',
  'created-once': 'it was passed over',
  'in-progress-second': 'the answer was begun without it',
  'terminal-missing': null,
  'nothing-after-terminal': 'what came after the end was passed over',
  'stray-error': 'it was passed over',
  'response-missing': 'the event was taken for what its type says',
  'stray-response': 'the response was passed over',
  'response-status': 'a status that ends the response was believed, else the event',
  'response-id': 'this gateway gives the response its own id',
  'early-end': 'the end was told at the end only',
  'running-output': 'the items were told when they were added',
  'usage-missing': null,
  'usage-counts': 'only whole numbers were taken',
  'error-object': 'what was missing of the error was put in',
  'incomplete-details': 'the reason was made up from the event',
  'completed-at': 'the time was taken by this gateway',
  'final-output': 'missing items and ends of texts were added, nothing that was shown was taken back',
  'incomplete-item': 'the items were ended as the response ended',
  'item-missing': 'the event was passed over',
  'unknown-item': null,
  'item-overlap': 'the items were put one after the other',
  'output-index': 'the items were counted anew',
  'item-id': 'the events were put to the item at their place, under one id',
  'item-start': 'the item was begun empty',
  'item-never-added': 'the item was begun with its first event',
  'item-never-done': 'the item was ended with the response',
  'item-identity': 'the item kept what it began with',
  'item-status': 'the item was taken as done',
  'item-content': 'what was missing at the end was added, nothing that was shown was taken back',
  'empty-message': 'the message was left out, or an empty text put in',
  'tool-steps': 'the steps were passed over, the item counts',
  'call-id': 'the call got an id of its own',
  'call-name': 'the call was begun when its name came',
  'arguments-sum': 'what was missing of the arguments was added',
  'arguments-done': 'the arguments were ended with the call',
  'arguments-name': null,
  'arguments-json': null,
  'part-missing': 'the event was passed over',
  'part-overlap': 'the parts were put one after the other',
  'part-index': 'the parts were counted anew',
  'part-start': 'the part was begun empty',
  'part-never-added': 'the part was begun with its text',
  'part-never-done': 'the part was ended with its item',
  'part-type': 'the part kept the type it began with, or was taken as text',
  'text-done': 'the text was ended with its part',
  'text-sum': 'what was missing at the end was added, nothing that was shown was taken back',
  'delta-type': 'the delta was passed over',
  'surrogate-pair': 'the halves were put together',
  logprobs: null,
  annotations: 'the sources were counted anew, and missing ones added',
};

/** The loss for a broken rule, the same words each time; null when there is nothing to tell. */
export function toRepairLoss(rule: LintRule): Loss | null {
  const repair = repairs[rule];
  if (repair === null) return null;
  return {
    path: 'output',
    action: 'approximated',
    reason: `the model server broke the rule ${rule} of the event stream: ${repair}`,
  };
}
