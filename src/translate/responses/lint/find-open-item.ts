import type { JsonObject } from '../../../lib/json.ts';
import { shown, type LintState, type OpenItem } from './lint-state.ts';

/** The open item an event belongs to: by its id, else by its place, else the only one it can be. Reports what of that is wrong; undefined when there is none. */
export function findOpenItem(event: JsonObject, type: string, state: LintState): OpenItem | undefined {
  const { item_id: id, output_index: index } = event;
  const last = state.open.at(-1);
  // Nearly always the only one there is, and rightly named.
  if (last?.type === type && last.id === id && last.index === index) return last;
  const found = find(id, index, type, state);
  if (found === undefined) {
    const standing = last === undefined ? 'no item is open' : `a ${shown(last.type)} is open`;
    state.report('item-never-added', `belongs to a ${type}, but ${standing}`);
    return undefined;
  }
  if (found.id !== id) state.report('item-id', `item_id ${shown(id)}, but ${shown(found.id)} is open`);
  if (found.index !== index) state.report('output-index', `output_index ${shown(index)}, but ${shown(found.index)} is open`);
  return found;
}

function find(id: unknown, index: unknown, type: string, { open }: LintState): OpenItem | undefined {
  const fitting = open.filter((item) => item.type === type);
  return fitting.find((item) => item.id === id) ?? fitting.find((item) => item.index === index) ?? fitting.at(-1);
}
