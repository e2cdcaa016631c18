import type { Loss } from '../model/loss.ts';

/** Common clients refuse headers over 16 KiB altogether. */
const maxBytes = 6 * 1024;

/** The header that tells a client what was lost; no header when nothing was. */
export function lossHeader(losses: readonly Loss[]): Record<string, string> {
  return losses.length === 0 ? {} : { 'antiphon-losses': encodeLosses(losses) };
}

/**
 * Value of `antiphon-losses`: a JSON list of {path, action, reason}, in ASCII (other characters as \uXXXX). What does not fit is counted in a last entry; all of it is stored with the
 * response.
 */
function encodeLosses(losses: readonly Loss[]): string {
  const shown: string[] = [];
  let size = 0;
  for (const { path, action, reason } of losses) {
    const entry = toAscii(JSON.stringify({ path, action, reason }));
    size += entry.length + 1;
    if (size > maxBytes) {
      const left = String(losses.length - shown.length);
      shown.push(
        JSON.stringify({ path: 'antiphon-losses', action: 'dropped', reason: `${left} more do not fit into this header` }),
      );
      break;
    }
    shown.push(entry);
  }
  return `[${shown.join(',')}]`;
}

function toAscii(json: string): string {
  return json.replace(/[^ -~]/g, (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`);
}
