/**
 * A JSON object in which some of its own members have another value, and every other byte is as it was. `edits` are JSON texts by name; null takes the member out, and a member that is not there yet
 * comes first. Every member of that name is edited, also one whose name is written with escapes: parsers take the last of them. The bytes must be a JSON object (UTF-8).
 */
export function editJsonMembers(bytes: Uint8Array, edits: Readonly<Record<string, string | null>>): Uint8Array {
  const inside = bytes.indexOf(openBrace) + 1;
  const members = findMembers(bytes, inside);
  const names = new Set(members.map(({ name }) => name));
  const wanted = new Map(Object.entries(edits));
  const parts: Uint8Array[][] = [...wanted].flatMap(([name, json]) =>
    json === null || names.has(name) ? [] : [[encoder.encode(`${JSON.stringify(name)}:${json}`)]],
  );
  for (const { name, start, valueStart, valueEnd, end } of members) {
    const json = name === undefined ? undefined : wanted.get(name);
    if (json === undefined) parts.push([bytes.subarray(start, end)]);
    else if (json !== null) parts.push([bytes.subarray(start, valueStart), encoder.encode(json), bytes.subarray(valueEnd, end)]);
  }
  const between = Uint8Array.of(comma);
  const body = parts.flatMap((part, at) => (at === 0 ? part : [between, ...part]));
  return joinBytes([bytes.subarray(0, inside), ...body, bytes.subarray(members.at(-1)?.end ?? inside)]);
}

/** A member with the white space around it. */
interface FoundMember {
  /** Undefined: it is so long that nobody can want it. */
  readonly name: string | undefined;
  readonly start: number;
  readonly valueStart: number;
  /** Behind the last byte of the value. */
  readonly valueEnd: number;
  /** Where its comma stands, or the end of the object. */
  readonly end: number;
}

function findMembers(bytes: Uint8Array, inside: number): FoundMember[] {
  const found: FoundMember[] = [];
  let start = inside;
  for (;;) {
    const nameStart = skipSpace(bytes, start);
    if (bytes[nameStart] !== quote) return found;
    const nameEnd = endOfString(bytes, nameStart);
    const valueStart = skipSpace(bytes, skipSpace(bytes, nameEnd) + 1);
    const valueEnd = endOfValue(bytes, valueStart);
    const end = skipSpace(bytes, valueEnd);
    found.push({ name: readName(bytes.subarray(nameStart, nameEnd)), start, valueStart, valueEnd, end });
    if (bytes[end] !== comma) return found;
    start = end + 1;
  }
}

const longestName = 256;

function readName(literal: Uint8Array): string | undefined {
  return literal.length > longestName ? undefined : String(JSON.parse(decoder.decode(literal)));
}

/** Behind the last byte of the value that begins at `start`. */
function endOfValue(bytes: Uint8Array, start: number): number {
  const first = bytes[start];
  if (first === quote) return endOfString(bytes, start);
  if (first !== openBrace && first !== openBracket) return endOfWord(bytes, start);
  let depth = 0;
  for (let at = start; at < bytes.length; at++) {
    const byte = bytes[at];
    if (byte === quote) at = endOfString(bytes, at) - 1;
    else if (byte === openBrace || byte === openBracket) depth += 1;
    else if ((byte === closeBrace || byte === closeBracket) && --depth === 0) return at + 1;
  }
  return bytes.length;
}

/** A number, `true`, `false` or `null`. */
function endOfWord(bytes: Uint8Array, start: number): number {
  let at = start;
  while (at < bytes.length && bytes[at] !== comma && bytes[at] !== closeBrace && !isSpace(bytes[at])) at += 1;
  return at;
}

/** Behind the closing quote of the string that opens at `start`. `indexOf` runs at memory speed, so long texts and images cost next to nothing. */
function endOfString(bytes: Uint8Array, start: number): number {
  for (let at = bytes.indexOf(quote, start + 1); at !== -1; at = bytes.indexOf(quote, at + 1)) {
    let slashes = 0;
    while (bytes[at - 1 - slashes] === backslash) slashes += 1;
    if (slashes % 2 === 0) return at + 1;
  }
  return bytes.length;
}

function skipSpace(bytes: Uint8Array, from: number): number {
  let at = from;
  while (at < bytes.length && isSpace(bytes[at])) at += 1;
  return at;
}

function isSpace(byte: number | undefined): boolean {
  return byte === 0x20 || byte === 0x0a || byte === 0x0d || byte === 0x09;
}

function joinBytes(pieces: readonly Uint8Array[]): Uint8Array {
  const all = new Uint8Array(pieces.reduce((size, piece) => size + piece.length, 0));
  let at = 0;
  for (const piece of pieces) {
    all.set(piece, at);
    at += piece.length;
  }
  return all;
}

const encoder = new TextEncoder();
const decoder = new TextDecoder();

const quote = 0x22;
const comma = 0x2c;
const backslash = 0x5c;
const openBracket = 0x5b;
const closeBracket = 0x5d;
const openBrace = 0x7b;
const closeBrace = 0x7d;
