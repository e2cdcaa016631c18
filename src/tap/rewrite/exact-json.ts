import { createHash } from 'node:crypto';
import { parseJson } from '../../lib/json.ts';

/** A JSON document whose parts can be written again without a digit lost. */
export interface ExactJson {
  readonly value: unknown;
  /** The JSON text of a value that was made of parts of `value` and of other things. */
  write(value: unknown): string;
}

/**
 * Reads JSON. A number that JavaScript would write in another way (a 64-bit integer, `1.0`) stands in `value` as a text that `write` turns back into what was read. Undefined
 * when the source is not JSON.
 */
export function readExactJson(source: string): ExactJson | undefined {
  // Follows from the whole document, so that it neither stands in it nor can be guessed by who wrote a part of it.
  let tag = '';
  const tagged = mapNumbers(source, (literal) => {
    tag ||= createHash('sha256').update(source).digest('hex');
    return `"${tag} ${literal}"`;
  });
  const value = parseJson(tagged);
  if (value === undefined) return undefined;
  if (tag === '') return { value, write: (changed) => JSON.stringify(changed) };
  const numbers = new RegExp(`"${tag} ([-+.0-9eE]+)"`, 'g');
  return { value, write: (changed) => JSON.stringify(changed).replace(numbers, '$1') };
}

const number = /-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][-+]?\d+)?/g;

/** Replaces the numbers that do not survive JSON.parse and JSON.stringify. By hand: a regular expression for strings of megabytes may run out of stack. */
function mapNumbers(source: string, change: (literal: string) => string): string {
  const pieces: string[] = [];
  let kept = 0;
  for (let at = 0; at < source.length;) {
    const quote = source.indexOf('"', at);
    const end = quote === -1 ? source.length : quote;
    // Between most strings there is one comma or colon.
    for (const { 0: literal, index } of end - at > 1 ? source.slice(at, end).matchAll(number) : []) {
      if (String(Number(literal)) === literal) continue;
      pieces.push(source.slice(kept, at + index), change(literal));
      kept = at + index + literal.length;
    }
    at = quote === -1 ? end : endOfString(source, quote);
  }
  return pieces.length === 0 ? source : pieces.join('') + source.slice(kept);
}

/** Where the string that begins at this quote is over: behind its other quote. */
function endOfString(source: string, quote: number): number {
  for (let end = source.indexOf('"', quote + 1); end !== -1; end = source.indexOf('"', end + 1)) {
    let slash = end;
    while (source[slash - 1] === '\\') slash -= 1;
    if ((end - slash) % 2 === 0) return end + 1;
  }
  return source.length;
}
