import type { JsonObject } from '../../../lib/json.ts';
import { checkNewCall } from './item-rules.ts';
import type { LintFault } from './lint-rules.ts';
import { LintState, objectsOf, shown } from './lint-state.ts';
import { canHold } from './part-rules.ts';
import { checkResponse } from './response-rules.ts';

/** What is wrong with an unstreamed response, as another server sends it: the rules of the object that a terminal event carries, and what a stream tells of its items before. */
export function lintBody(response: JsonObject): readonly LintFault[] {
  const state = new LintState('wire');
  state.type = response['status'] === 'incomplete' ? 'response.incomplete' : 'response.completed';
  checkResponse({ response }, state);
  for (const item of objectsOf(response['output'])) checkWholeItem(item, state);
  return state.take();
}

function checkWholeItem(item: JsonObject, state: LintState): void {
  const { id, type } = item;
  state.check(!id || state.itemIds.has(id), 'item-id', `item id ${shown(id)} is empty or used twice`);
  state.itemIds.add(id);
  if (type === 'function_call') {
    checkNewCall(item, state);
    state.check(typeof item['arguments'] !== 'string', 'arguments-sum', 'the arguments are no text');
  }
  const list = type === 'message' ? 'content' : type === 'reasoning' ? 'summary' : null;
  if (list === null) return;
  state.check(!Array.isArray(item[list]), 'item-content', `the item has no list, ${list}`);
  const parts = objectsOf(item[list]);
  state.check(type === 'message' && parts.length === 0, 'empty-message', 'a message without any part');
  for (const part of parts) state.check(!canHold(type, part['type']), 'part-type', `a part of the type ${shown(part['type'])}`);
}
