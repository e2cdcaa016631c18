import type { Loss } from '../../model/loss.ts';
import type { InputItemParam } from '../../protocol/responses/items.ts';
import { parseInputItem } from './parse-input-item.ts';
import { textLimits } from './parse-content.ts';
import { invalidType } from '../../translate/parse/request-error.ts';
import { parseString } from '../../translate/parse/parse-value.ts';

/** `input` of a request: a text is one user message, an array is items in order (protocol.md §1.5). Item i of the answer is item i of the array. */
export function parseInput(value: unknown, losses: Loss[]): InputItemParam[] {
  if (typeof value === 'string') {
    const text = parseString(value, 'input', textLimits);
    return [{ type: 'message', role: 'user', content: [{ type: 'input_text', text }] }];
  }
  if (!Array.isArray(value)) throw invalidType('input', 'one of a string or an array of input items', value);
  return value.map((item: unknown, index) => parseInputItem(item, `input[${index}]`, losses));
}
