/** A short mark of a text (FNV-1a, 32 bits, hexadecimal): equal for equal texts, no secret. */
export function textMark(text: string): string {
  return markNumber(text).toString(16).padStart(8, '0');
}

/** The same mark as a number from 0 to 2³²−1. */
export function markNumber(text: string): number {
  let mark = 0x811c9dc5;
  for (let index = 0; index < text.length; index++) mark = Math.imul(mark ^ text.charCodeAt(index), 0x01000193) >>> 0;
  return mark;
}
