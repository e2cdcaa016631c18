import { isJsonObject, parseJson, type JsonObject } from '../../lib/json.ts';
import type { Loss } from '../../model/loss.ts';
import type { CallOutputInput } from '../../model/model-request.ts';
import type { GeminiMediaPart, GeminiResponsePart } from '../../protocol/gemini/request.ts';
import { toMediaPart, type MediaContent } from './to-media-part.ts';

export interface FunctionResponseOptions {
  /** The function's name as Gemini knows it. */
  readonly name: string;
  /** Only when Gemini gave the call an id: Vertex refuses others. */
  readonly id: string | undefined;
  /** Gemini 3: media may lie inside the function response. */
  readonly takesMedia: boolean;
}

export interface FunctionResponse {
  readonly part: GeminiResponsePart;
  /** Media that must stand behind the function responses of the same content. */
  readonly attachments: readonly GeminiMediaPart[];
  readonly losses: readonly Loss[];
}

/** What a function response may hold inline. */
const innerTypes = new Set(['image/png', 'image/jpeg', 'image/webp', 'application/pdf', 'text/plain']);

/** The output of a tool → `functionResponse`. Its `response` must be an object: JSON objects go as they are, everything else as `{ result }`. */
export function toFunctionResponse(output: CallOutputInput, options: FunctionResponseOptions): FunctionResponse {
  const { name, id, takesMedia } = options;
  const texts: string[] = [];
  const inner: GeminiMediaPart[] = [];
  const attachments: GeminiMediaPart[] = [];
  const losses: Loss[] = [];
  for (const part of output.content) {
    if (part.type === 'text' || part.type === 'refusal') {
      texts.push(part.text);
      continue;
    }
    const media = toMediaPart(part);
    losses.push(...media.losses);
    if (media.value !== null) (takesMedia && isInner(part) ? inner : attachments).push(media.value);
  }
  const hasMedia = inner.length > 0 || attachments.length > 0;
  const functionResponse: GeminiResponsePart['functionResponse'] = {
    ...(id !== undefined && { id }),
    name,
    response: output.isError === true ? toFailure(texts) : toResponse(texts, hasMedia),
    ...(inner.length > 0 && { parts: inner }),
  };
  return { part: { functionResponse }, attachments, losses };
}

function isInner(part: MediaContent): boolean {
  return part.source.type === 'data' && innerTypes.has(part.source.mediaType);
}

function toResponse(texts: readonly string[], hasMedia: boolean): JsonObject {
  const [first] = texts;
  if (texts.length > 1) return { result: texts };
  if (first === undefined) return hasMedia ? {} : { result: '' };
  const parsed = parseJson(first);
  if ((isJsonObject(parsed) || Array.isArray(parsed)) && survivesStruct(parsed, first))
    return isJsonObject(parsed) ? parsed : { result: parsed };
  return { result: first };
}

/** Google's convention: what went wrong stands in `error`. */
function toFailure(texts: readonly string[]): JsonObject {
  const { result, ...response } = toResponse(texts, false);
  if (response['error'] !== undefined) return result === undefined ? response : { result, ...response };
  return { error: Object.keys(response).length === 0 ? result : { ...(result !== undefined && { result }), ...response } };
}

/** Gemini reads the response as a protobuf Struct, whose parser gives up at 100 levels. */
const maxDepth = 50;

/** Digits in texts are safe. */
const jsonString = /"(?:[^"\\]|\\.)*"/g;

/**
 * Whether JSON means the same to Gemini as to the tool. `$ref` and its like are read as references to attached media and refuse the whole request; integers beyond 2^53
 * change when they are parsed. Such outputs go as text: the model reads the same characters.
 */
function survivesStruct(value: unknown, text: string): boolean {
  return !/\d{16}/.test(text.replace(jsonString, '')) && isPlain(value, maxDepth);
}

function isPlain(value: unknown, depth: number): boolean {
  if (typeof value !== 'object' || value === null) return true;
  if (depth === 0) return false;
  if (Array.isArray(value)) return value.every((item) => isPlain(item, depth - 1));
  return Object.entries(value).every(([key, member]) => !key.startsWith('$') && isPlain(member, depth - 1));
}
