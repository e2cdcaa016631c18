import { expect, test } from 'vitest';
import type { ToolChoiceParam, ToolParam } from '../protocol/responses/request.ts';
import { toOfferedTools } from './to-offered-tools.ts';

const look: ToolParam = { type: 'function', name: 'look', description: null, parameters: null, strict: false };
const jump: ToolParam = { ...look, name: 'jump' };
const search: ToolParam = { type: 'other', toolType: 'web_search', raw: { type: 'web_search' } };

function shown(tool_choice: ToolChoiceParam, tools: ToolParam[]): string {
  const { value, losses } = toOfferedTools({ tools, tool_choice });
  const names = [...value.tools.map(({ name }) => name), ...value.hostedTools.map(({ type }) => type)];
  return `${value.toolChoice.type} of ${names.join('+')}${losses.length > 0 ? ' with a loss' : ''}`;
}

const allowed = (mode: 'auto' | 'required', ...tools: { type: string; name?: string }[]): ToolChoiceParam => ({
  type: 'allowed_tools',
  mode,
  tools,
});

test.each<[ToolChoiceParam, ToolParam[], string]>([
  ['none', [look, search], 'none of look'],
  ['auto', [look, search], 'auto of look+web_search'],
  ['required', [look, search], 'required of look+web_search'],
  ['required', [search], 'auto of web_search with a loss'],
  [{ type: 'function', name: 'jump' }, [look, jump, search], 'required-of of jump'],
  [allowed('auto', { type: 'function', name: 'look' }), [look, jump, search], 'allowed of look'],
  [
    allowed('required', { type: 'function', name: 'look' }, { type: 'web_search' }),
    [look, jump, search],
    'required-of of look+web_search',
  ],
  [allowed('auto', { type: 'web_search' }), [look, search], 'auto of web_search'],
  [allowed('required', { type: 'web_search' }), [look, search], 'auto of web_search with a loss'],
  [{ type: 'other', toolType: 'web_search', raw: {} }, [look, search], 'auto of look+web_search with a loss'],
])('%j of %j', (choice, tools, expected) => {
  expect(shown(choice, tools)).toBe(expected);
});
