import { parseInclude } from './parse-include.ts';
import { parseChoice, parseInteger, parseString } from '../../translate/parse/parse-value.ts';
import { invalidType } from '../../translate/parse/request-error.ts';

/** Query of `GET /v1/responses/{id}/input_items`. */
export interface InputItemsQuery {
  readonly limit: number;
  readonly order: 'asc' | 'desc';
  /** Id of the item before the wanted page. */
  readonly after: string | null;
  readonly include: string[];
}

/** Query of `GET /v1/responses/{id}`. */
export interface RetrieveQuery {
  readonly stream: boolean;
  /** Events up to and with this sequence number are not wanted. */
  readonly startingAfter: number | null;
  readonly include: string[];
  /** Null: not asked. We send no obfuscation in either case. */
  readonly includeObfuscation: boolean | null;
}

/** Query of `GET /v1/sessions`. */
export interface SessionsQuery {
  readonly limit: number;
}

/** Throws GatewayError 400 with the query parameter's name. Unknown parameters pass (`beta=true` is one that clients send); an empty value counts as absent. */
export function parseInputItemsQuery(query: URLSearchParams): InputItemsQuery {
  const order = readValue(query, 'order');
  const after = readValue(query, 'after');
  return {
    limit: readLimit(query, { usual: 20, max: 100 }),
    order: order === null ? 'desc' : parseChoice(order, 'order', ['asc', 'desc']),
    after: after === null ? null : parseString(after, 'after', { max: 512 }),
    include: readInclude(query),
  };
}

/** Throws GatewayError 400 with the query parameter's name. `starting_after` without `stream` is accepted and means nothing. */
export function parseRetrieveQuery(query: URLSearchParams): RetrieveQuery {
  const startingAfter = readValue(query, 'starting_after');
  return {
    stream: readBoolean(query, 'stream') ?? false,
    startingAfter:
      startingAfter === null
        ? null
        : parseInteger(toInteger(startingAfter), 'starting_after', { min: 0, max: Number.MAX_SAFE_INTEGER }),
    include: readInclude(query),
    includeObfuscation: readBoolean(query, 'include_obfuscation'),
  };
}

/** Throws GatewayError 400 with the query parameter's name. */
export function parseSessionsQuery(query: URLSearchParams): SessionsQuery {
  return { limit: readLimit(query, { usual: 100, max: 1000 }) };
}

function readLimit(query: URLSearchParams, { usual, max }: { readonly usual: number; readonly max: number }): number {
  const limit = readValue(query, 'limit');
  return limit === null ? usual : parseInteger(toInteger(limit), 'limit', { min: 1, max });
}

function readValue(query: URLSearchParams, name: string): string | null {
  const value = query.get(name);
  return value === '' ? null : value;
}

/** `12` → 12; what is no decimal integer stays text, so that the error says what it is. */
function toInteger(text: string): number | string {
  return /^-?\d{1,15}$/.test(text) ? Number(text) : text;
}

function readBoolean(query: URLSearchParams, name: string): boolean | null {
  const value = readValue(query, name);
  if (value === null) return null;
  if (value === 'true' || value === '1') return true;
  if (value === 'false' || value === '0') return false;
  throw invalidType(name, 'a boolean', value);
}

/** Both official SDKs write `include[]=a&include[]=b`; people write `include=a`. */
function readInclude(query: URLSearchParams): string[] {
  return parseInclude([...query.getAll('include[]'), ...query.getAll('include')].filter((value) => value !== ''));
}
