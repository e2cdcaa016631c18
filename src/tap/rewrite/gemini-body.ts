import { isJsonObject, type JsonObject } from '../../lib/json.ts';

/** Which side of the conversation a content is. `function` is an old word for the user's side; without a role it is the user's too. */
export type Side = 'user' | 'model';

/** The GenerateContentRequest in a body: the body itself, or what lies under `request` (`{ model, project, request }`) or, where tokens are counted, `generateContentRequest`. */
export function innerRequest(body: JsonObject): JsonObject {
  const inner = body[wrapperOf(body) ?? ''];
  return isJsonObject(inner) ? inner : body;
}

/** The body with another GenerateContentRequest in the same place. */
export function withInnerRequest(body: JsonObject, inner: JsonObject): JsonObject {
  const wrapper = wrapperOf(body);
  return wrapper === undefined ? inner : { ...body, [wrapper]: inner };
}

/** Whether request and answer lie one level deeper, under `request` and `response`. */
export function isWrapped(body: JsonObject): boolean {
  return wrapperOf(body) === 'request';
}

function wrapperOf(body: JsonObject): 'request' | 'generateContentRequest' | undefined {
  if (body['contents'] !== undefined) return undefined;
  return (['request', 'generateContentRequest'] as const).find((name) => isJsonObject(body[name]));
}

/** A member by its name in camelCase; Gemini reads snake_case too. */
export function readMember(object: JsonObject, name: string): unknown {
  return object[keyOf(object, name)];
}

/** The object with that member, written as it is there already; undefined removes it. */
export function withMember(object: JsonObject, name: string, value: unknown): JsonObject {
  const key = keyOf(object, name);
  if (value !== undefined) return { ...object, [key]: value };
  return Object.fromEntries(Object.entries(object).filter(([other]) => other !== key));
}

function keyOf(object: JsonObject, name: string): string {
  const snake = name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
  return !Object.hasOwn(object, name) && Object.hasOwn(object, snake) ? snake : name;
}

/** The objects of a list; anything else is no list. */
export function readObjects(value: unknown): readonly JsonObject[] {
  return Array.isArray(value) ? (value as readonly unknown[]).filter(isJsonObject) : [];
}

export function sideOf(content: JsonObject): Side {
  return content['role'] === 'model' ? 'model' : 'user';
}

/** What a part says as visible text; undefined for thinking and everything else. */
export function visibleText(part: JsonObject): string | undefined {
  return typeof part['text'] === 'string' && part['thought'] !== true ? part['text'] : undefined;
}

/** Names of the functions that a request declares. */
export function declaredNames(inner: JsonObject): ReadonlySet<string> {
  const declarations = readObjects(inner['tools']).flatMap((tool) => readObjects(readMember(tool, 'functionDeclarations')));
  return new Set(declarations.flatMap(({ name }) => (typeof name === 'string' ? [name] : [])));
}

/** Applies `change` to every string of a JSON value; what does not change stays the same object. */
export function mapStrings(value: unknown, change: (text: string) => string): unknown {
  if (typeof value === 'string') return change(value);
  if (Array.isArray(value)) {
    const items = value as readonly unknown[];
    const mapped = items.map((item) => mapStrings(item, change));
    return mapped.some((item, at) => item !== items[at]) ? mapped : value;
  }
  if (!isJsonObject(value)) return value;
  const entries = Object.entries(value);
  const mapped = entries.map(([key, member]): [string, unknown] => [key, mapStrings(member, change)]);
  return mapped.some(([, member], at) => member !== entries[at]?.[1]) ? Object.fromEntries(mapped) : value;
}
