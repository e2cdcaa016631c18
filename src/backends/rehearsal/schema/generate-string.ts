import type { JsonObject } from '../../../lib/json.ts';
import type { Generation, Place } from './generation.ts';
import { parsePattern } from './parse-pattern.ts';
import { patternText } from './pattern-text.ts';
import { listOf, numberOf } from './schema-keywords.ts';

/** Properties that take a sentence rather than a name. */
const sentenceNames = new Set(
  'answer body comment content description explanation input message note prompt q query question reason search subject summary task text title'.split(
    ' ',
  ),
);
const maxSentence = 200;
const maxPadding = 10_000;

interface Format {
  /** What the text may hold of this kind. */
  readonly inText: RegExp;
  readonly sample: (variant: number) => string;
}

const twoDigits = (value: number): string => String((value % 28) + 1).padStart(2, '0');
const mailAddress = /[\w.+-]{1,64}@[\w-]{1,63}(?:\.[\w-]{1,63}){1,4}/g;
const webAddress = /https?:\/\/[^\s"'<>)\]]{1,500}(?<![.,;!?])/g;
const address = (variant: number): string => `https://example.com/${variant === 0 ? '' : String(variant)}`;

const formats: { readonly [format: string]: Format | undefined } = {
  'date-time': {
    inText: /\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d{1,9})?(?:Z|[+-]\d\d:\d\d)/g,
    sample: (n) => `2026-01-${twoDigits(n)}T12:00:00Z`,
  },
  date: { inText: /(?<!\d)\d{4}-(?:0[1-9]|1[0-2])-(?:0[1-9]|[12]\d)(?!\d)/g, sample: (n) => `2026-01-${twoDigits(n)}` },
  time: { inText: /(?<!\d)(?:[01]\d|2[0-3]):[0-5]\d:[0-5]\d(?:Z|[+-]\d\d:\d\d)/g, sample: (n) => `12:00:${twoDigits(n)}Z` },
  duration: { inText: /\bP(?:\d{1,6}[YMWD]){1,4}\b/g, sample: (n) => `P${String(n + 1)}D` },
  email: { inText: mailAddress, sample: (n) => `ada${n === 0 ? '' : String(n)}@example.com` },
  'idn-email': { inText: mailAddress, sample: (n) => `ada${n === 0 ? '' : String(n)}@example.com` },
  hostname: {
    inText: /\b[a-z\d-]{1,63}(?:\.[a-z\d-]{1,63}){0,4}\.[a-z]{2,63}\b/g,
    sample: (n) => `host${String(n + 1)}.example.com`,
  },
  ipv4: {
    inText: /(?<![\d.])(?:(?:25[0-5]|2[0-4]\d|1?\d?\d)\.){3}(?:25[0-5]|2[0-4]\d|1?\d?\d)(?![\d.])/g,
    sample: (n) => `192.0.2.${String((n % 254) + 1)}`,
  },
  ipv6: { inText: /\b2001:db8::[\da-f]{1,4}\b/g, sample: (n) => `2001:db8::${(n + 1).toString(16)}` },
  uri: { inText: webAddress, sample: address },
  url: { inText: webAddress, sample: address },
  iri: { inText: webAddress, sample: address },
  'uri-reference': { inText: webAddress, sample: address },
  uuid: {
    inText: /\b[\da-f]{8}-(?:[\da-f]{4}-){3}[\da-f]{12}\b/gi,
    sample: (n) => `00000000-0000-4000-8000-${String(n + 1).padStart(12, '0')}`,
  },
};

/** Texts worth trying, best first: what the message says about this name, the format, the pattern, words of the message, the schema's own suggestions. */
export function* stringCandidates(keywords: JsonObject, place: Place, generation: Generation): Generator<string> {
  const { hints } = generation;
  const said = hints.assigned(place.name);
  if (place.variant === 0 && said !== undefined) yield said;
  yield* formatCandidates(keywords, place, generation);
  yield* patternCandidates(keywords, place);
  const name = place.name === '' ? 'text' : place.name;
  const free = [
    ...messageWords(place, generation),
    keywords['default'],
    ...listOf(keywords, 'examples'),
    name,
    `another ${name}`,
  ];
  for (const text of free) if (typeof text === 'string') yield fitLength(vary(text, place.variant), keywords, place.variant);
}

function formatCandidates(keywords: JsonObject, place: Place, { hints }: Generation): string[] {
  const format =
    typeof keywords['format'] === 'string' && Object.hasOwn(formats, keywords['format'])
      ? formats[keywords['format']]
      : undefined;
  return format === undefined ? [] : [...hints.matches(format.inText), format.sample(place.variant)];
}

/** The shortest text of the pattern, then longer ones until `minLength` is reached. */
function* patternCandidates(keywords: JsonObject, place: Place): Generator<string> {
  const pattern = typeof keywords['pattern'] === 'string' ? parsePattern(keywords['pattern']) : null;
  if (pattern === null) return;
  const least = numberOf(keywords, 'minLength', 1);
  for (const extra of new Set([0, 1, 2, 3, 5, 8, Math.ceil(least / 2), least])) {
    const text = patternText(pattern, extra, place.variant);
    if (text !== null) yield text;
    // An unanchored pattern leaves room for more around it.
    if (text !== null) yield fitLength(text, keywords, 0);
  }
}

function messageWords(place: Place, { hints }: Generation): readonly string[] {
  const takesSentence = sentenceNames.has(place.name.toLowerCase().replace(/^.*_/, ''));
  const sentence = hints.text.trim() === '' ? [] : [cutText(hints.text.trim(), maxSentence)];
  return takesSentence ? [...hints.quotes(), ...sentence] : hints.words();
}

function vary(text: string, variant: number): string {
  return variant === 0 ? text : `${text} ${String(variant + 1)}`;
}

/** Cut or filled up to `minLength`/`maxLength`; the end stays different for different variants. */
function fitLength(text: string, keywords: JsonObject, variant: number): string {
  const most = numberOf(keywords, 'maxLength', Infinity);
  const least = Math.min(numberOf(keywords, 'minLength', 0), maxPadding);
  const length = Array.from(text).length;
  if (length < least) return text + '.'.repeat(least - length);
  if (length <= most) return text;
  return variant === 0 ? cutText(text, most) : cutText(String.fromCodePoint(0x61 + (variant % 26)) + text, most);
}

function cutText(text: string, length: number): string {
  return Array.from(text).slice(0, Math.max(length, 0)).join('');
}
