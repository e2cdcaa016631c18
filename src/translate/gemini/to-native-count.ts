import { isJsonObject, type JsonObject } from '../../lib/json.ts';
import type { ModelRequest } from '../../model/model-request.ts';
import { listOf, Members } from './from-gemini-request-members.ts';
import { takesGeminiNatively, type NativeOptions } from './takes-gemini-natively.ts';

const wrappers = ['generateContentRequest', 'generate_content_request'];
/** What Google counts only inside of a request. */
const wrappedOnly = ['systemInstruction', 'tools', 'toolConfig', 'generationConfig'];

/**
 * A client's body of `countTokens` with the server's name of the model; null where Gemini does not understand it as it is. A request in it names its model once more. Vertex takes no request in
 * it, but most of its members beside `contents`.
 */
export function toNativeCount(request: ModelRequest, fields: JsonObject, options: NativeOptions): JsonObject | null {
  const wrapper = wrappers.find((name) => isJsonObject(fields[name]));
  const wrapped: unknown = wrapper === undefined ? undefined : fields[wrapper];
  const isWrapped = wrapper !== undefined && isJsonObject(wrapped);
  const counted = isWrapped ? wrapped : fields;
  const refused = options.isVertex ? ['toolConfig'] : wrappedOnly;
  const members = new Members(counted, '');
  if (isWrapped ? options.isVertex : refused.some((name) => members.has(name))) return null;
  if (listOf(members.get('contents').value).length === 0 || !takesGeminiNatively(request, counted, options)) return null;
  const model = `models/${request.model.replace(/^models\//, '')}`;
  return isWrapped ? { ...fields, [wrapper]: { ...wrapped, model } } : withoutModel(fields);
}

function withoutModel(fields: JsonObject): JsonObject {
  return Object.fromEntries(Object.entries(fields).filter(([name]) => name !== 'model'));
}
