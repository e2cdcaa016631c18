import type { StoredItem, StoredResponse } from '../model/response-store.ts';
import type { InputItemParam, InputPart, OutputItem } from '../protocol/responses/items.ts';

const idPrefixes: Readonly<Record<string, string>> = {
  message: 'msg',
  function_call: 'fc',
  function_call_output: 'fco',
  reasoning: 'rs',
  custom_tool_call: 'ctc',
  custom_tool_call_output: 'ctco',
  web_search_call: 'ws',
};

/** An input item as `input_items` lists it: on the wire form the client used, but always with an id. */
export function toStoredItem(item: InputItemParam, newId: (prefix: string) => string): StoredItem {
  if (item.type === 'other')
    return { ...item.raw, type: item.itemType, id: item.id ?? newId(idPrefixes[item.itemType] ?? 'item') };
  const id = item.id ?? newId(idPrefixes[item.type] ?? 'item');
  switch (item.type) {
    case 'message':
      return { ...item, id, status: item.status ?? 'completed' };
    case 'function_call':
    case 'function_call_output':
      return { ...item, id, status: item.status ?? 'completed' };
    default:
      return { ...item, id };
  }
}

/** A stored item as request input again. What we stored was parsed when it came in, so its shape is known. */
export function fromStoredItem(item: StoredItem | OutputItem): InputItemParam {
  switch (item.type) {
    case 'message':
    case 'function_call':
    case 'function_call_output':
    case 'reasoning':
      // Written by toStoredItem or by the response builder: the members are those of the type.
      return item as InputItemParam;
    default:
      return { type: 'other', id: item.id, itemType: item.type, raw: { ...item } };
  }
}

/** The context that a stored response leaves to the next one: its input, then its output; sealed state filled in, cut calls left out. */
export function contextOf(stored: StoredResponse): InputItemParam[] {
  const output = stored.response.output
    .filter((item) => !(item.type === 'function_call' && item.status !== 'completed'))
    .map((item) => fromStoredItem(withState(item, stored.states)));
  return [...stored.input.map(fromStoredItem), ...output];
}

/** A reasoning item with its `encrypted_content`, whether or not its client had asked for it. */
export function withState<T extends OutputItem>(item: T, states: StoredResponse['states']): T {
  const sealed = item.type === 'reasoning' ? states[item.id] : undefined;
  return sealed === undefined ? item : { ...item, encrypted_content: sealed };
}

/** A request item without a wire counterpart for its parts has none. */
export function partsOf(content: string | readonly InputPart[]): readonly InputPart[] {
  return typeof content === 'string' ? [{ type: 'input_text', text: content }] : content;
}
