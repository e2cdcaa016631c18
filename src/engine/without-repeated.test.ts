import { expect, test } from 'vitest';
import type { InputItemParam } from '../protocol/responses/items.ts';
import { withoutRepeated } from './without-repeated.ts';

const user = (text: string, id?: string): InputItemParam => ({
  type: 'message',
  role: 'user',
  content: [{ type: 'input_text', text }],
  ...(id !== undefined && { id }),
});
const call = (call_id: string, id?: string): InputItemParam => ({
  type: 'function_call',
  call_id,
  name: 'look',
  arguments: '{}',
  ...(id !== undefined && { id }),
});
const output = (call_id: string, text: string): InputItemParam => ({ type: 'function_call_output', call_id, output: text });
const custom = (call_id: string): InputItemParam => ({
  type: 'other',
  itemType: 'custom_tool_call',
  raw: { type: 'custom_tool_call', call_id, name: 'patch', input: 'x' },
});
const at = (items: readonly InputItemParam[], path: string) => items.map((item) => ({ item, path }));

/** Indices of the own items that stay. */
function kept(own: readonly InputItemParam[], inherited: readonly InputItemParam[] = []): number[] {
  const history = at(own, 'input');
  return withoutRepeated(history, at(inherited, 'previous_response_id')).map((entry) => history.indexOf(entry));
}

test.each<[string, InputItemParam[], InputItemParam[], number[]]>([
  ['an id used again for something else is a new item', [user('B', 'msg_1')], [user('A', 'msg_1')], [0]],
  ['a message with its id', [user('A', 'msg_1'), user('next')], [user('A', 'msg_1')], [1]],
  ['the same words without an id may be meant', [user('A')], [user('A')], [0]],
  ['an open call, then its output', [call('c'), output('c', 'x')], [call('c', 'fc_1')], [1]],
  ['an answered pair, then news', [call('c'), output('c', 'x'), user('next')], [call('c', 'fc_1'), output('c', 'x')], [2]],
  [
    'an answered call made again with another result',
    [call('c'), output('c', 'y')],
    [call('c', 'fc_1'), output('c', 'x')],
    [0, 1],
  ],
  ['the same id and result for a later call', [output('c', 'x')], [call('c'), output('c', 'x'), call('c')], [0]],
  ['a call beside its reference', [user('q'), call('c', 'fc_1'), call('c', 'fc_1'), output('c', 'x')], [], [0, 1, 3]],
  ['an output twice', [call('c'), output('c', 'x'), output('c', 'x')], [], [0, 1]],
  ['the same call made twice with the same result', [call('c'), output('c', 'x'), call('c'), output('c', 'x')], [], [0, 1, 2, 3]],
  ['two different outputs are for the check of pairs', [call('c'), output('c', 'x'), output('c', 'y')], [], [0, 1, 2]],
  ['a custom call', [custom('c')], [custom('c')], []],
])('%s', (_case, own, inherited, expected) => {
  expect(kept(own, inherited)).toEqual(expected);
});
