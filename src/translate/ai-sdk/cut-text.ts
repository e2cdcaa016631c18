import type { AiSdkTextPart } from '../../protocol/ai-sdk/call-options.ts';
import type { AiSdkTextState } from './ai-sdk-state.ts';

/** A message that begins at `start` of its turn's text, as parts: those the marks stand on whole get their metadata back. Marks that reach over its ends mean a text that somebody changed. */
export function cutText(text: string, start: number, marks: readonly AiSdkTextState[]): AiSdkTextPart[] {
  const inside = marks
    .map((mark) => ({ ...mark, at: mark.start - start }))
    .filter(({ at, length }) => at >= 0 && at + length <= text.length && length > 0)
    .sort((one, other) => one.at - other.at);
  const parts: AiSdkTextPart[] = [];
  let end = 0;
  for (const { at, length, metadata } of inside) {
    if (at < end) continue;
    if (at > end) parts.push({ type: 'text', text: text.slice(end, at) });
    end = at + length;
    parts.push({ type: 'text', text: text.slice(at, end), providerOptions: metadata });
  }
  if (end < text.length) parts.push({ type: 'text', text: text.slice(end) });
  return parts;
}
