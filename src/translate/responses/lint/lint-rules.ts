/** Every rule of the event grammar (docs/lint.md) and what it asks for. The names are public: people search for them. */
export const lintRules = {
  // The capture
  'not-json': 'Every event is JSON.',
  'event-name': 'The `event:` line, where there is one, is the `type` of the data.',
  // The stream
  'event-shape': 'Every event is an object with a `type`.',
  'unknown-event': 'The type is one of the protocol.',
  'sequence-number': '`sequence_number` grows by one with every event.',
  'created-first': '`response.created` is the first event.',
  'created-once': '`response.created` comes once.',
  'in-progress-second':
    '`response.in_progress` comes right after `response.created` (and `response.queued`, which comes nowhere else).',
  'terminal-missing': 'The stream ends with `response.completed`, `response.incomplete` or `response.failed`.',
  'nothing-after-terminal': 'Nothing follows the terminal event, and only `response.failed` an `error`.',
  'stray-error': 'Only the event `error` has an `error` of its own: official clients take any other for the end.',
  // The response object
  'response-missing': 'Events about the whole response carry it.',
  'stray-response': 'Other events carry no response.',
  'response-status': "The response's `status` is that of its event.",
  'response-id': 'The response has an id that never changes.',
  'early-end': 'Usage, errors and reasons for an end come with the end only.',
  'running-output': '`output` of a running response shows the items that were added so far.',
  'usage-missing': 'A completed or incomplete response has `usage`.',
  'usage-counts': '`usage` holds whole numbers that are not negative.',
  'error-object': 'A failed response has an `error` with a code and a message, others have none.',
  'incomplete-details': 'An incomplete response has `incomplete_details` with a reason, others have none.',
  'completed-at': 'A completed response has `completed_at`, others have none.',
  'final-output': 'The final `output` is the list of the items as they were done.',
  'incomplete-item': 'Only the last item may be incomplete, and not in a completed response.',
  // Items
  'item-missing': '`output_item` events carry an item.',
  'unknown-item': 'The type of the item is one that this gateway sends.',
  'item-overlap': 'Items come one after the other.',
  'output-index': '`output_index` counts the items from 0, and every event of an item has the same.',
  'item-id': 'Every item has an id of its own, and every event of it names that id.',
  'item-start': "A new item is empty and `in_progress`, its lists are there, and a message is the assistant's.",
  'item-never-added': 'Every item is added before anything else is said of it.',
  'item-never-done': 'Every item that was added is done before the response ends.',
  'item-identity': 'Id, type, call_id and name are the same when an item is added and when it is done.',
  'item-status': 'An item that is done is no longer `in_progress`, and its status is a word of the protocol.',
  'item-content': 'An item that is done holds the parts that were shown.',
  'empty-message': 'A message has at least one part.',
  'tool-steps': 'Events of a hosted or freeform tool come while its item is open, in their order.',
  // Function calls
  'call-id': 'Every call has a call_id of its own, of at most 64 characters.',
  'call-name': 'A call is added with its name.',
  'arguments-sum': 'The arguments are the sum of their deltas.',
  'arguments-done': '`function_call_arguments.done` comes once, after the deltas and before the item is done.',
  'arguments-name': '`function_call_arguments.done` carries the name of the call.',
  'arguments-json': 'The arguments of a completed call are a JSON object.',
  // Content and summary parts
  'part-missing': '`content_part` and `reasoning_summary_part` events carry a part.',
  'part-overlap': 'Parts come one after the other.',
  'part-index': '`content_index` and `summary_index` count the parts from 0, and every event of a part has the same.',
  'part-start': 'A new part is empty.',
  'part-never-added': 'Every part is added before its text.',
  'part-never-done': 'Every part is done before its item.',
  'part-type': 'A part has a type that its item may hold, and keeps it.',
  'text-done': 'The text-level `.done` comes once, after the deltas and before the part is done.',
  'text-sum': 'The text is the sum of its deltas.',
  'delta-type': 'A delta is a string.',
  'surrogate-pair': 'No delta ends in the middle of a character.',
  logprobs: 'Text events carry a list of `logprobs`, even an empty one.',
  annotations: 'The annotations of a part are those that were added, counted from 0.',
} as const satisfies Record<string, string>;

export type LintRule = keyof typeof lintRules;

export interface LintFault {
  readonly rule: LintRule;
  /** A note is worth knowing but breaks nothing. */
  readonly severity: 'fault' | 'note';
  /** Which event, from 0; null: the stream as a whole. */
  readonly event: number | null;
  /** The type of that event; empty where there is none. */
  readonly type: string;
  readonly words: string;
}
