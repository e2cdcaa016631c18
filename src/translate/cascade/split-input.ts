import type { CallInput, CallOutputInput, InputItem, MessageInput } from '../../model/model-request.ts';

/** What can be told to an agent server: thinking of earlier turns cannot. */
export type ToldItem = MessageInput | CallInput | CallOutputInput;

export interface SplitInput {
  /** What was said before this turn, and was never said to this cascade. */
  readonly replay: readonly ToldItem[];
  /** This turn: the last run of user messages and call outputs (system messages between them too). May be empty. */
  readonly current: readonly ToldItem[];
}

/** Divides the input that a cascade has not seen, `reasoning` items left out. `replay.length` counts the items of the input's beginning. */
export function splitInput(input: readonly InputItem[]): SplitInput {
  const told = input.filter((item) => item.type !== 'reasoning');
  const begin = told.findLastIndex((item) => !isOfThisTurn(item)) + 1;
  return { replay: told.slice(0, begin), current: told.slice(begin) };
}

function isOfThisTurn(item: ToldItem): boolean {
  return item.type === 'call-output' || (item.type === 'message' && item.role !== 'assistant');
}
