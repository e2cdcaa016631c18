import type { JsonObject } from '../../../lib/json.ts';
import { findOpenItem } from './find-open-item.ts';
import type { LintState, OpenItem } from './lint-state.ts';

interface ToolStep {
  /** Type of the item it belongs to. */
  readonly item: string;
  readonly place: number;
  /** `.completed`, `.failed`, `.done`: comes once. */
  readonly isEnd: boolean;
}

/** Steps of tools whose events name their item (protocol.md §1.7); in one group: either comes. Those of shells, patches and audio are not judged. */
const toolSteps: ReadonlyMap<string, ToolStep> = new Map([
  ...stepsOf('web_search_call', ['.in_progress', '.searching', '.completed']),
  ...stepsOf('file_search_call', ['.in_progress', '.searching', '.completed']),
  ...stepsOf('code_interpreter_call', ['.in_progress', '_code.delta', '_code.done', '.interpreting', '.completed']),
  ...stepsOf('image_generation_call', ['.in_progress', '.generating', '.partial_image', '.completed']),
  ...stepsOf('mcp_list_tools', ['.in_progress', '.completed .failed']),
  ...stepsOf('mcp_call', ['.in_progress', '_arguments.delta', '_arguments.done', '.completed .failed']),
  ...stepsOf('custom_tool_call', ['_input.delta', '_input.done']),
]);

export function isToolStep(type: string): boolean {
  return toolSteps.has(type);
}

/** An event of a tool: its item is open, and it does not go back. Ours come each and once; others leave steps out, and repeat `in_progress`. */
export function checkToolStep(event: JsonObject, state: LintState): void {
  const known = toolSteps.get(state.type);
  if (known === undefined) return;
  const open = findOpenItem(event, known.item, state);
  if (open === undefined) return;
  const { place, isEnd } = known;
  const isBack = place < open.step || (isEnd && place === open.step);
  const isWrong = state.isOwn ? place !== open.step + 1 : isBack && place > 0;
  state.check(isWrong, 'tool-steps', 'is not what comes next');
  open.step = Math.max(place, open.step);
}

/** A search of ours has gone all its way. */
export function checkToolDone(open: OpenItem, state: LintState): void {
  state.check(state.isOwn && open.step !== 2, 'tool-steps', 'the item is done before its tool');
}

function stepsOf(item: string, groups: readonly string[]): [string, ToolStep][] {
  return groups.flatMap((group, place) =>
    group.split(' ').map((verb): [string, ToolStep] => {
      return [`response.${item}${verb}`, { item, place, isEnd: /\.(completed|failed|done)$/.test(verb) }];
    }),
  );
}
