import { isJsonObject } from '../../lib/json.ts';
import { blanked, type SecretBlanker } from './blank-secrets.ts';
import { decodePath } from './read-route.ts';

/** A request as it is compared: `path` normalised; `body` the parsed JSON, or the text of another body (empty: null). */
export interface ComparedRequest {
  readonly method: string;
  readonly path: string;
  readonly body: unknown;
}

/** Request line and JSON body with all keys sorted. Equal keys: the same request, as far as a model can tell. */
export function toRequestKey({ method, path, body }: ComparedRequest): string {
  return `${method} ${path}\n${toSortedJson(body)}`;
}

/** The same without what differs from run to run: ids, and marks of a tap. */
export function toLooseRequestKey({ method, path, body }: ComparedRequest): string {
  return `${method} ${path}\n${toSortedJson(withoutIds(body))}`;
}

/** Escapes undone, parameters sorted, credentials left out: a replay may be asked with another key, or with none. */
export function normalisePath(path: string, blanker: SecretBlanker): string {
  const [plain = '', ...query] = blanker.blankPath(path).split('?');
  const parameters = query.join('?').split('&').map(decodePath);
  const kept = parameters.filter((pair) => pair !== '' && !pair.endsWith(`=${blanked}`)).sort();
  return decodePath(plain) + (kept.length === 0 ? '' : `?${kept.join('&')}`);
}

function toSortedJson(value: unknown): string {
  return JSON.stringify(value, (_key, member: unknown) =>
    isJsonObject(member) ? Object.fromEntries(Object.entries(member).sort(compareKeys)) : member,
  );
}

function compareKeys([a]: readonly [string, unknown], [b]: readonly [string, unknown]): number {
  return a < b ? -1 : 1;
}

/** Members that programs make anew for each run. */
const idMember =
  /^(?:id|(?:call|tool_call|tool_use|item|request|session|user_prompt|prompt_cache|message|trace|conversation|previous_response)_?(?:id|key)|user|safety_identifier|user_id)$/i;
/** What a tool was given and what it said: there, an id is part of the matter. */
const matterMember = /^(?:args|arguments|input|response|output|parameters|parametersJsonSchema|input_schema|schema|properties)$/;
/** The marks of `marks.ts`, whatever the gateway's key. */
const mark = /antiphon[0-9a-v]{80}(?:\r?\n| )?/g;

function withoutIds(value: unknown): unknown {
  if (typeof value === 'string') return value.includes('antiphon') ? value.replace(mark, '') : value;
  if (Array.isArray(value)) return value.map(withoutIds);
  if (!isJsonObject(value)) return value;
  const members = Object.entries(value).filter(([name, member]) => !(typeof member === 'string' && idMember.test(name)));
  return Object.fromEntries(members.map(([name, member]) => [name, matterMember.test(name) ? member : withoutIds(member)]));
}
