/** Words and numbers of a text that may serve as values, in the order in which a reader would take them. */
export interface TextHints {
  /** The text itself, capped. */
  readonly text: string;
  /** What the text says about a name: `unit=celsius`, `unit: "celsius"`, `unit is celsius`. */
  assigned(name: string): string | undefined;
  /** Whether the word or phrase stands in the text. */
  mentions(phrase: string): boolean;
  /** Quoted texts and capitalised words not taken yet. */
  words(): readonly string[];
  quotes(): readonly string[];
  numbers(): readonly number[];
  /** Web addresses, mail addresses, dates, uuids … whatever the expression finds, not taken yet. */
  matches(expression: RegExp): readonly string[];
  /** The value has been used: the next call of the same turn gets another one. */
  take(value: string | number): void;
}

const maxText = 2_000;

/** Words that begin sentences rather than name things. */
const openers = new Set(
  (
    'a about an and are ask at be both but by call can could create do does find first for from get give go have hello hey hi how i if in is it let list ' +
    'look make me my no not now of on ok open or please put read run search send set show so tell thanks that the then there these this those to try two ' +
    'use using was we what when where which who why will with would write yes you your'
  ).split(' '),
);

/** Hints from what the user wrote last. Deterministic; a cap keeps long prompts cheap. */
export function createTextHints(whole: string): TextHints {
  const text = whole.slice(0, maxText);
  const taken = new Set<string | number>();
  const lower = text.toLowerCase();
  const fresh = <T extends string | number>(values: readonly T[]): T[] => values.filter((value) => !taken.has(value));
  const quoted = findQuotes(text);
  const capitals = findCapitals(text);
  const numerals = [...text.matchAll(/(?<![\w.])-?\d{1,15}(?:\.\d{1,10})?(?![\w])/g)].map(([numeral]) => Number(numeral));
  return {
    text,
    assigned: (name) => findAssigned(text, name),
    mentions: (phrase) => hasPhrase(lower, phrase.toLowerCase()),
    words: () => fresh([...quoted, ...capitals]),
    quotes: () => fresh(quoted),
    numbers: () => fresh(numerals),
    matches: (expression) => fresh([...text.matchAll(expression)].map(([found]) => found)),
    take: (value) => void taken.add(value),
  };
}

/** The phrase with no letter or digit directly before or after it. Both in lower case. */
function hasPhrase(text: string, phrase: string): boolean {
  return phraseIndex(text, phrase) >= 0;
}

/** Where the phrase stands as whole words, or -1. Both in lower case. */
export function phraseIndex(text: string, phrase: string): number {
  if (phrase === '') return -1;
  for (let at = text.indexOf(phrase); at >= 0; at = text.indexOf(phrase, at + 1)) {
    if (!isWordPart(text[at - 1]) && !isWordPart(text[at + phrase.length])) return at;
  }
  return -1;
}

function isWordPart(character: string | undefined): boolean {
  return character !== undefined && /[\p{L}\p{N}_]/u.test(character);
}

function findQuotes(text: string): string[] {
  const found = [...text.matchAll(/"([^"\n]{1,200})"|“([^”\n]{1,200})”|`([^`\n]{1,200})`|(?<!\w)'([^'\n]{1,200})'(?!\w)/g)];
  return found.map(([, double, curly, back, single]) => double ?? curly ?? back ?? single ?? '');
}

/** `New York` is one name. Names at the beginning of a sentence come last: most capitals there mean nothing. */
function findCapitals(text: string): string[] {
  const inside: string[] = [];
  const opening: string[] = [];
  for (const match of text.matchAll(/(?<![\p{L}\p{N}_])\p{Lu}[\p{L}\p{N}'’-]*(?: \p{Lu}[\p{L}\p{N}'’-]*)*/gu)) {
    const words = match[0].split(' ');
    while (words[0] !== undefined && openers.has(words[0].toLowerCase())) words.shift();
    if (words.length === 0) continue;
    const isWhole = words.join(' ') === match[0];
    const opensSentence = /(?:^|[.!?]\s+|\n\s*)$/.test(text.slice(0, match.index));
    (isWhole && opensSentence ? opening : inside).push(words.join(' '));
  }
  return [...inside, ...opening];
}

function findAssigned(text: string, name: string): string | undefined {
  if (name === '' || name.length > 64) return undefined;
  const escaped = name.replaceAll(/[.*+?^${}()|[\]\\]/g, String.raw`\$&`).replaceAll('_', '[_ ]');
  const expression = new RegExp(
    String.raw`(?<![\w])["']?${escaped}["']?\s*(?:=|:|\bis\b)\s*(?:"([^"\n]+)"|'([^'\n]+)'|([^\s,;]+))`,
    'i',
  );
  const match = expression.exec(text);
  const bare = match?.[3]?.replace(/[.!?)\]}]+$/, '');
  return match?.[1] ?? match?.[2] ?? (bare === '' ? undefined : bare);
}
