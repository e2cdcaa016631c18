import { isJsonObject, type JsonObject } from '../../../src/lib/json.ts';

/** One member under either of its spellings: protojson takes `systemInstruction` and `system_instruction`. */
export function member(object: JsonObject, name: string): unknown {
  return object[name] ?? object[name.replaceAll(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`)];
}

export function objectOf(value: unknown): JsonObject {
  return isJsonObject(value) ? value : {};
}

export function objectsOf(value: unknown): readonly JsonObject[] {
  return Array.isArray(value) ? (value as readonly unknown[]).map(objectOf) : [];
}

export function textOf(value: unknown): string {
  return typeof value === 'string' ? value : '';
}

/** `contents` of a request; parts and roles may still be anything. */
export function contentsOf(body: JsonObject): readonly { readonly role: string; readonly parts: readonly JsonObject[] }[] {
  return objectsOf(body['contents']).map(({ role, parts }) => ({ role: textOf(role), parts: objectsOf(parts) }));
}

export function declarationsOf(body: JsonObject): readonly JsonObject[] {
  return objectsOf(body['tools']).flatMap((tool) => objectsOf(member(tool, 'functionDeclarations')));
}

/** Gemini 3 and whatever is newer validates signatures, and makes them. */
export function isGemini3(model: string): boolean {
  return !/^(?:gemini-[12]\.|gemma)/.test(model);
}

/** What the user wrote, without the template an agent server puts around it. */
export function withoutTemplate(text: string): string {
  return /<USER_REQUEST>\r?\n?([\s\S]*?)\r?\n?<\/USER_REQUEST>/.exec(text)?.[1] ?? text;
}

export function userTextOf(parts: readonly JsonObject[]): string {
  return parts.map((part) => withoutTemplate(textOf(part['text']))).join('\n');
}
