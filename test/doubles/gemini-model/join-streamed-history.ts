import type { JsonObject } from '../../../src/lib/json.ts';
import { contentsOf } from './gemini-words.ts';

/** A request whose neighbouring contents of the model are one, without the model's empty texts (signed ones stay). */
export function joinStreamedHistory(body: JsonObject): JsonObject {
  const contents: { role: string; parts: readonly JsonObject[] }[] = [];
  for (const { role, parts } of contentsOf(body)) {
    const said = role === 'model' ? parts.filter((part) => part['text'] !== '' || part['thoughtSignature'] !== undefined) : parts;
    const last = contents.at(-1);
    if (role === 'model' && last?.role === 'model') last.parts = [...last.parts, ...said];
    else contents.push({ role, parts: said });
  }
  return { ...body, contents };
}
