/** What the marks of one key begin and end with. */
export interface MarkEnds {
  readonly head: string;
  readonly tail: string;
}

/** How marks look; each length is the same for all keys. */
export interface MarkForm {
  /** What every head begins with. */
  readonly start: string;
  /** At least one. */
  readonly ends: readonly MarkEnds[];
  /** How many letters stand between head and tail. */
  readonly bodyLength: number;
}

/** A place where a mark stands, or what is left of one. */
interface MarkText {
  readonly start: number;
  readonly end: number;
  /** As long as a mark, from its head to its tail. */
  readonly isWhole: boolean;
  /** Its last letters are there: what follows has followed the mark, too. */
  readonly hasEnd: boolean;
}

export interface MarkFinder {
  /** In the order of the text. `isSource`: the text is the source of a JSON document, whose escapes are never taken apart. */
  find(text: string, isSource: boolean): readonly MarkText[];
  /** Whether there may be one in these bytes. False is certain. */
  mayContain(bytes: Uint8Array): boolean;
}

/** The digits of numbers to the base 32, as the language itself writes them: all that stands between the ends of a mark. */
const digits = '0-9a-v';

/**
 * Finds marks by their ends, whatever is between them: whole ones; what begins with a head and was cut somewhere; what was cut within the head, when a word ends there; and
 * what has lost its beginning, as far back from its tail as digits go. Nothing else is found: head and tail are secrets of a key, forty bits together and each.
 */
export function createMarkFinder({ start: opening, ends, bodyLength }: MarkForm): MarkFinder {
  const heads = ends.map(({ head }) => head);
  const tails = ends.map(({ tail }) => tail);
  const [headLength, tailLength] = [lengthOf(heads), lengthOf(tails)];
  const afterHead = bodyLength + tailLength;
  const cut = `(?:${heads.map((head) => toCutHead(opening, head)).join('|')})(?![0-9A-Za-z])`;
  const pattern = `(?:${heads.join('|')})[${digits}]{0,${String(afterHead)}}|${cut}|${tails.join('|')}`;
  const isDigit = new RegExp(`^[${digits}]$`);

  function startOfRest(text: string, index: number, { from, isSource }: { from: number; isSource: boolean }): number {
    const first = Math.max(from, index - headLength - bodyLength + 1);
    let start = index;
    while (start > first && isDigit.test(text[start - 1] ?? '')) start -= 1;
    return isSource ? Math.min(index, start + lettersOfEscape(text.slice(from, start), text[start])) : start;
  }

  return {
    find(text, isSource) {
      const found: MarkText[] = [];
      for (const { 0: match, index } of text.matchAll(new RegExp(pattern, 'g'))) {
        const end = index + match.length;
        const hasEnd = tails.some((tail) => match.endsWith(tail));
        const isRest = tails.includes(match);
        const start = isRest ? startOfRest(text, index, { from: found.at(-1)?.end ?? 0, isSource }) : index;
        found.push({ start, end, isWhole: !isRest && hasEnd && match.length === headLength + afterHead, hasEnd });
      }
      return found;
    },
    mayContain(bytes) {
      const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
      if (tails.some((tail) => buffer.includes(tail))) return true;
      const begin = new RegExp(`^(?:${heads.join('|')}|${cut})`);
      for (let at = buffer.indexOf(opening); at !== -1; at = buffer.indexOf(opening, at + 1)) {
        if (begin.test(buffer.toString('latin1', at, at + headLength + 1))) return true;
      }
      return false;
    },
  };
}

function lengthOf([first = '']: readonly string[]): number {
  return first.length;
}

/** The opening of a mark with as many of the key's letters as there are. */
function toCutHead(opening: string, head: string): string {
  const letters = head.slice(opening.length).split('');
  return opening + letters.reduceRight((rest, letter) => `(?:${letter}${rest})?`, '');
}

/** How many letters belong to an escape of JSON that begins at the end of `before`; `next` is the first of them. */
function lettersOfEscape(before: string, next: string | undefined): number {
  const [, slashes = '', hexadecimal] = /(\\+)(u[0-9a-fA-F]{0,3})?$/.exec(before) ?? [];
  if (slashes.length % 2 === 0) return 0;
  if (hexadecimal !== undefined) return 5 - hexadecimal.length;
  return next === 'u' ? 5 : 1;
}
