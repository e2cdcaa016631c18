import { isJsonObject, type JsonObject } from '../../lib/json.ts';
import type { InputPart } from '../../protocol/responses/items.ts';
import { parseFileData, parseImageUrl } from '../parse/parse-media.ts';
import { isAbsent, parseChoice, parseObject, parseString } from '../parse/parse-value.ts';
import { invalid, invalidChoice, invalidType, missingParameter } from '../parse/request-error.ts';

/** Limit of every text, in characters: that of the Responses API. */
export const textLimits = { max: 10_485_760 } as const;

/** Roles that have content, as far as they differ in what it may be. */
export type ContentRole = 'system' | 'user' | 'assistant' | 'tool';

export interface ChatContent {
  readonly parts: InputPart[];
  /** Where each of them stands in the client's body. */
  readonly places: string[];
}

interface PlacedPart {
  readonly part: InputPart;
  readonly place: string;
}

const partTypes: { readonly [role in ContentRole]: readonly string[] } = {
  system: ['text'],
  user: ['text', 'image_url', 'file'],
  assistant: ['text', 'refusal'],
  // OpenAI takes text and images here; the hub has room for files too.
  tool: ['text', 'image_url', 'file'],
};

/** `content` of a message: a text or parts. Null is nothing, where the model or a tool said nothing; a user or system message must say something. */
export function parseChatContent(value: unknown, path: string, role: ContentRole): ChatContent {
  if (value === null && (role === 'assistant' || role === 'tool')) return { parts: [], places: [] };
  if (typeof value === 'string') return { parts: [toText(parseString(value, path, textLimits), role)], places: [path] };
  if (!Array.isArray(value)) throw invalidType(path, 'one of a string or an array of content parts', value);
  const placed = value.flatMap((member: unknown, index) =>
    role === 'assistant' && isThinkingPart(member) ? [] : [parsePart(member, `${path}[${index}]`, role)],
  );
  return { parts: placed.map(({ part }) => part), places: placed.map(({ place }) => place) };
}

/** Mistral's form of what was thought. It is no content: `from-chat-reasoning` reads it. */
export function isThinkingPart(part: unknown): part is { readonly thinking?: unknown } {
  return isJsonObject(part) && part['type'] === 'thinking';
}

function toText(text: string, role: ContentRole): InputPart {
  return role === 'assistant' ? { type: 'output_text', text } : { type: 'input_text', text };
}

function parsePart(value: unknown, place: string, role: ContentRole): PlacedPart {
  const part = parseObject(value, place);
  const type = parseString(part['type'], `${place}.type`);
  if (type === 'input_audio' && role === 'user') throw refuseAudio(place);
  switch (partTypes[role].includes(type) ? type : 'another') {
    case 'text':
      return { part: toText(parseString(part['text'], `${place}.text`, textLimits), role), place };
    case 'refusal':
      return { part: { type: 'refusal', refusal: parseString(part['refusal'], `${place}.refusal`, textLimits) }, place };
    case 'image_url':
      return { part: parseImage(part['image_url'], `${place}.image_url`), place: `${place}.image_url` };
    case 'file':
      return { part: parseFile(parseObject(part['file'], `${place}.file`), `${place}.file`), place: `${place}.file` };
    default:
      throw invalidChoice(`${place}.type`, type, partTypes[role]);
  }
}

function refuseAudio(place: string): Error {
  const message = "Unsupported value: 'input_audio'. No model behind this gateway takes this kind of content.";
  return invalid('unsupported_value', `${place}.type`, message);
}

/** `{url, detail}`; Mistral's clients write the URL itself. */
function parseImage(value: unknown, path: string): InputPart {
  if (typeof value === 'string') return { type: 'input_image', image_url: parseImageUrl(value, path) };
  const { url, detail } = parseObject(value, path);
  return {
    type: 'input_image',
    image_url: parseImageUrl(url, `${path}.url`),
    ...(!isAbsent(detail) && { detail: parseChoice(detail, `${path}.detail`, ['auto', 'low', 'high', 'original']) }),
  };
}

function parseFile(file: JsonObject, path: string): InputPart {
  const { file_data: data, file_id: id } = file;
  if (!isAbsent(id)) {
    const message =
      "This gateway keeps no files, so a 'file_id' means nothing to it. Send the content as a base64 data URL in 'file_data'.";
    throw invalid('unsupported_value', `${path}.file_id`, message);
  }
  if (isAbsent(data)) throw missingParameter(`${path}.file_data`);
  const filename = isAbsent(file['filename']) ? null : parseString(file['filename'], `${path}.filename`);
  return {
    type: 'input_file',
    file_data: parseFileData(data, `${path}.file_data`, filename),
    ...(filename !== null && { filename }),
  };
}

/** Whether a part says nothing at all. */
export function isEmptyPart(part: InputPart): boolean {
  return ('text' in part && part.text === '') || ('refusal' in part && part.refusal === '');
}
