import { isJsonObject, parseJson, type JsonObject } from '../../../src/lib/json.ts';
import { contentsOf, objectOf, textOf, userTextOf } from './gemini-words.ts';

/** What a direction in the user's text makes the model do; `start-gemini-model.ts` explains them. */
export type Direction =
  | { readonly type: 'think'; readonly text: string; readonly isLate: boolean }
  | { readonly type: 'say'; readonly text: string }
  | { readonly type: 'call'; readonly name: string; readonly args: JsonObject }
  | { readonly type: 'outputs' }
  | { readonly type: 'pause'; readonly milliseconds: number }
  | { readonly type: 'hold' }
  | { readonly type: 'cut' }
  | { readonly type: 'status'; readonly status: number; readonly times: number }
  | { readonly type: 'error'; readonly status: number }
  | { readonly type: 'finish'; readonly reason: string };

export interface DirectedRound {
  readonly directions: readonly Direction[];
  /** Names this round of this text: refusals are counted by it. */
  readonly key: string;
  readonly outputs: readonly { readonly name: string; readonly response: JsonObject }[];
}

const pattern = /\[\[([a-z-]+)(?:\s+([\s\S]*?))?\]\]/g;

/**
 * The round of directions that is due; null where the user's text has none, or all its rounds are over. A round is one model call; the rounds that are over are the model contents
 * with calls behind the text.
 */
export function readDirections(body: JsonObject): DirectedRound | null {
  const contents = contentsOf(body);
  const at = findDirectingContent(contents);
  const directing = contents[at];
  if (directing === undefined) return null;
  const text = userTextOf(directing.parts);
  const over = contents.slice(at + 1).filter(({ parts }) => parts.some((part) => part['functionCall'] !== undefined)).length;
  const rounds = splitRounds(text);
  const outputs = (contents.at(-1)?.parts ?? [])
    .filter((part) => part['functionResponse'] !== undefined)
    .map((part) => objectOf(part['functionResponse']))
    .map(({ name, response }) => ({ name: textOf(name), response: objectOf(response) }));
  const due = rounds[over] ?? (outputs.length > 0 ? [{ type: 'outputs' } as const] : null);
  return due === null ? null : { directions: due, key: `${over} ${text}`, outputs };
}

/** Thinking that the text asks for, shown or late: what a summary of the turn's thinking would say. */
export function readThoughts(body: JsonObject): string[] {
  const text = contentsOf(body)
    .map(({ parts }) => userTextOf(parts))
    .join('\n');
  return splitRounds(text)
    .flat()
    .flatMap((direction) => (direction.type === 'think' ? [direction.text] : []));
}

/**
 * The last user content that has directions. Words of the user that have none end the search; beside function responses they do not, because an agent server writes its template there.
 */
function findDirectingContent(contents: ReturnType<typeof contentsOf>): number {
  for (let at = contents.length - 1; at >= 0; at--) {
    const { role, parts } = contents[at] ?? { role: '', parts: [] };
    if (role === 'model') continue;
    const text = userTextOf(parts);
    if (splitRounds(text).some((round) => round.length > 0)) return at;
    if (text.trim() !== '' && !parts.some((part) => part['functionResponse'] !== undefined)) return -1;
  }
  return -1;
}

function splitRounds(text: string): Direction[][] {
  const rounds: Direction[][] = [[]];
  for (const [, word = '', rest = ''] of text.matchAll(pattern)) {
    if (word === 'then') rounds.push([]);
    else rounds.at(-1)?.push(toDirection(word, rest));
  }
  return rounds;
}

function toDirection(word: string, rest: string): Direction {
  const [first = '', ...others] = rest.split(/\s+/);
  switch (word) {
    case 'think':
    case 'think-late':
      return { type: 'think', text: rest, isLate: word === 'think-late' };
    case 'say':
      return { type: 'say', text: rest };
    case 'call':
      return { type: 'call', name: first, args: readArguments(rest.slice(first.length)) };
    case 'pause':
      return { type: 'pause', milliseconds: Number(first) };
    case 'status':
      return { type: 'status', status: Number(first), times: Number(others[0] ?? 1) };
    case 'error':
      return { type: 'error', status: Number(first) };
    case 'finish':
      return { type: 'finish', reason: first };
    case 'outputs':
    case 'hold':
    case 'cut':
      return { type: word };
    default:
      return { type: 'say', text: `(no direction ${word})` };
  }
}

function readArguments(text: string): JsonObject {
  const value = parseJson(text);
  return isJsonObject(value) ? value : {};
}
