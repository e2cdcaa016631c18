import { assertNever } from '../../lib/never.ts';
import type { ContentPart } from '../../model/model-request.ts';
import type { ToldItem } from './split-input.ts';

/**
 * A conversation as text, for an agent server that takes nothing else. One section for each item, parted by blank lines, each under a head of its own line:
 *
 * - `[user]`, `[assistant]`, `[system]` (developer messages too) and the text below;
 * - `[assistant called NAME, call_id ID]` and the arguments as they were;
 * - `[result of NAME, call_id ID]` and the output. Without `showsCallIds` neither head has an id.
 *
 * An image or a file is a line `[image …]` or `[file …]`, whose words `describeMedia` chooses. A line of somebody's text that would read as a head gets a space before it, so that no text
 * (a fetched page, say) can put words into another role's mouth.
 */
export function renderItems(items: readonly ToldItem[], { describeMedia, showsCallIds }: HistoryForm): string {
  return items.map((item) => `[${headOf(item, showsCallIds)}]\n${bodyOf(item, describeMedia)}`.trimEnd()).join('\n\n');
}

interface HistoryForm {
  readonly describeMedia: DescribeMedia;
  readonly showsCallIds: boolean;
}

export type MediaPart = Extract<ContentPart, { type: 'image' | 'file' }>;

/** What stands for an image or a file between the square brackets: `image 1, attached`. */
export type DescribeMedia = (part: MediaPart) => string;

function headOf(item: ToldItem, showsCallIds: boolean): string {
  if (item.type === 'message') return item.role === 'developer' ? 'system' : item.role;
  const id = showsCallIds ? `, call_id ${toWord(item.callId)}` : '';
  switch (item.type) {
    case 'call':
      return `assistant called ${toWord(item.name)}${id}`;
    case 'call-output':
      return `result of ${toWord(item.name)}${id}`;
    default:
      return assertNever(item, 'item');
  }
}

function bodyOf(item: ToldItem, describeMedia: DescribeMedia): string {
  if (item.type === 'call') return protectHeads(item.arguments);
  return item.content
    .map((part) => (part.type === 'text' || part.type === 'refusal' ? protectHeads(part.text) : `[${describeMedia(part)}]`))
    .join('\n\n');
}

const headLine = /^\[(?=(?:user|assistant|system|developer|result of|assistant called|image|file)\b[^\n]*\])/gim;

function protectHeads(text: string): string {
  return text.replace(headLine, ' [');
}

/** Names and ids come from clients and models: in a head they are one line without brackets. */
function toWord(name: string): string {
  return name.replace(/[\p{Cc}[\]]+/gu, ' ').trim();
}
