/** Converts between UTF-8 byte offsets and UTF-16 indexes of one text. */
export interface ByteOffsets {
  /** Bytes before this UTF-16 index. */
  bytesBefore(index: number): number;
  /** The UTF-16 index at this byte: the next character when it lies inside one, the end of the text when it lies beyond. */
  indexAt(bytes: number): number;
}

/** One pass over the text, then O(log n) for each question. A lone surrogate counts as the three bytes of U+FFFD. */
export function createByteOffsets(text: string): ByteOffsets {
  const before = new Uint32Array(text.length + 1);
  for (let index = 0; index < text.length; index += 1) {
    const code = text.codePointAt(index) ?? 0;
    const here = before[index] ?? 0;
    if (code > 0xffff) {
      // Both halves of a pair begin at the same byte, so that no offset lands between them.
      before[index + 1] = here;
      before[index + 2] = here + 4;
      index += 1;
    } else before[index + 1] = here + byteLength(code);
  }
  return {
    bytesBefore: (index) => before[Math.min(Math.max(index, 0), text.length)] ?? 0,
    indexAt(bytes) {
      let low = 0;
      let high = text.length;
      while (low < high) {
        const middle = (low + high) >>> 1;
        if ((before[middle] ?? 0) < bytes) low = middle + 1;
        else high = middle;
      }
      return low;
    },
  };
}

function byteLength(code: number): number {
  if (code < 0x80) return 1;
  return code < 0x800 ? 2 : 3;
}
