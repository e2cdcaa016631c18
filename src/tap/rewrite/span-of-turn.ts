import { createHash } from 'node:crypto';
import type { ContentPart, InputItem, ModelRequest } from '../../model/model-request.ts';
import type { BlockSpan } from '../marks.ts';

/** Where the outputs and the text of a turn begin in the history, and what stands before them that the agent server has not seen. */
export interface TurnItems {
  /** What the block stands for, without the outputs of the turn. */
  readonly replayed: readonly InputItem[];
  /** From here on it is what the user says now. */
  readonly current: readonly InputItem[];
}

/** The items that Gemini gets as contents, and the thinking that belongs to them. System text may come and go between turns, so it is never counted. */
function isHistory(item: InputItem): boolean {
  return item.type !== 'message' || (item.role !== 'system' && item.role !== 'developer');
}

function isCounted(item: InputItem): boolean {
  return item.type !== 'reasoning' && isHistory(item);
}

/** The span of a turn's block, and whether the block says anything that the user's text does not say. */
export interface TurnSpan {
  readonly span: BlockSpan;
  readonly isNeeded: boolean;
}

/**
 * What the block of a turn stands for: all of the history in a cascade that knows nothing (`replayedItems` counts every item but `reasoning`), else what this request has added
 * to it.
 */
export function spanOfTurn({ input, session }: ModelRequest, replayedItems: number): TurnSpan {
  const counted = input.filter(isCounted);
  const isFresh = replayedItems > 0;
  const from = isFresh ? 0 : input.slice(0, session?.inheritedItems ?? 0).filter(isCounted).length;
  const items = counted.slice(from);
  const current = from + (isFresh ? countUpTo(input, replayedItems) : countBeforeCurrent(items));
  const isNeeded = current > from || items.some(({ type }) => type === 'call-output');
  return { span: { from, current, end: counted.length, fingerprint: fingerprintOf(items) }, isNeeded };
}

/** How many counted items are among the first `replayedItems` that are not reasoning. */
function countUpTo(input: readonly InputItem[], replayedItems: number): number {
  return input
    .filter((item) => item.type !== 'reasoning')
    .slice(0, replayedItems)
    .filter(isCounted).length;
}

/** What stands before the last run of things a user's side can say. */
function countBeforeCurrent(items: readonly InputItem[]): number {
  return items.findLastIndex((item) => item.type === 'call' || (item.type === 'message' && item.role === 'assistant')) + 1;
}

/** The items that a block of this or an earlier turn stands for; null when the history is not the one it was made of. */
export function itemsOfSpan(input: readonly InputItem[], span: BlockSpan): TurnItems | null {
  const counted = input.filter(isCounted);
  if (span.from > span.current || span.current > span.end || span.end > counted.length) return null;
  const items = counted.slice(span.from, span.end);
  if (fingerprintOf(items) !== span.fingerprint) return null;
  const replayed = counted.slice(span.from, span.current);
  return { replayed: withReasoning(input, replayed, span.from === 0), current: items.slice(replayed.length) };
}

/** The same items with the thinking that stands among them. */
function withReasoning(input: readonly InputItem[], items: readonly InputItem[], fromStart: boolean): readonly InputItem[] {
  const [first] = items;
  const last = items.at(-1);
  if (first === undefined || last === undefined) return [];
  return input.slice(fromStart ? 0 : input.indexOf(first), input.lastIndexOf(last) + 1).filter(isHistory);
}

function fingerprintOf(items: readonly InputItem[]): string {
  return createHash('sha256')
    .update(JSON.stringify(items.map(describeItem)))
    .digest('hex')
    .slice(0, 16);
}

/** What makes an item the same when it comes again from the store: not where it stood, nor how it was meant to be shown. */
function describeItem(item: InputItem): unknown {
  switch (item.type) {
    case 'message':
      return [item.role, item.content.map(describePart)];
    case 'call':
      return [item.callId, item.name, item.arguments];
    case 'call-output':
      return [item.callId, item.content.map(describePart)];
    case 'reasoning':
      return [];
  }
}

function describePart(part: ContentPart): unknown {
  return part.type === 'text' || part.type === 'refusal' ? part.text : [part.type, part.source];
}
