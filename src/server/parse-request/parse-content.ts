import { isJsonObject, type JsonObject } from '../../lib/json.ts';
import type { Loss } from '../../model/loss.ts';
import type { InputMessage, InputPart } from '../../protocol/responses/items.ts';
import { parseFileData, parseImageUrl, parseRemoteUrl } from '../../translate/parse/parse-media.ts';
import { invalid, invalidChoice, invalidType, missingParameter } from '../../translate/parse/request-error.ts';
import { isAbsent, parseArray, parseChoice, parseObject, parseString } from '../../translate/parse/parse-value.ts';

/** Limit of every text in an input, in characters (protocol.md §1.2, §1.5). */
export const textLimits = { max: 10_485_760 } as const;

type PartParser = (part: JsonObject, path: string, losses: Loss[]) => InputPart;

const partParsers: ReadonlyMap<string, PartParser> = new Map<string, PartParser>([
  ['input_text', (part, path) => ({ type: 'input_text', text: parseString(part.text, `${path}.text`, textLimits) })],
  // Annotations and logprobs of our own earlier answers say nothing to a model.
  ['output_text', (part, path) => ({ type: 'output_text', text: parseString(part.text, `${path}.text`, textLimits) })],
  ['refusal', (part, path) => ({ type: 'refusal', refusal: parseString(part.refusal, `${path}.refusal`, textLimits) })],
  ['input_image', parseImage],
  ['input_file', parseFile],
]);

const userParts = ['input_text', 'input_image', 'input_file'];
/** OpenAI's schema lets an assistant message hold input text (EasyInputMessage); pictures and files it refuses there. */
const assistantParts = ['output_text', 'refusal', 'input_text'];
/** Part types of the published schemas that no backend of ours takes. */
const unservedParts: ReadonlySet<string> = new Set(['input_video', 'input_audio']);

/** Content of a message: text becomes one part; null and `[]`, which LangChain and Codex send, become none. */
export function parseMessageContent(value: unknown, path: string, role: InputMessage['role'], losses: Loss[]): InputPart[] {
  if (value === null) return [];
  const isAssistant = role === 'assistant';
  if (typeof value === 'string') {
    const text = parseString(value, path, textLimits);
    return [isAssistant ? { type: 'output_text', text } : { type: 'input_text', text }];
  }
  if (!Array.isArray(value)) throw invalidType(path, 'one of a string or an array of content parts', value);
  return parseParts(value, path, isAssistant ? assistantParts : userParts, losses);
}

/** `output` of a call: text or parts as they are; null is the empty text. */
export function parseCallOutput(value: unknown, path: string, losses: Loss[]): string | InputPart[] {
  if (value === null) return '';
  if (typeof value === 'string') return parseString(value, path, textLimits);
  if (!Array.isArray(value)) throw invalidType(path, 'one of a string or an array of content parts', value);
  return parseParts(value, path, userParts, losses);
}

/** Array of `{type, text}` of one type: `summary` and `content` of a reasoning item. */
export function parseTexts<T extends string>(value: unknown, path: string, type: T): { type: T; text: string }[] {
  return parseArray(value, path).map((member, index) => {
    const place = `${path}[${index}]`;
    const part = parseObject(member, place);
    return { type: parseChoice(part.type, `${place}.type`, [type]), text: parseString(part.text, `${place}.text`, textLimits) };
  });
}

function parseParts(parts: readonly unknown[], path: string, allowed: readonly string[], losses: Loss[]): InputPart[] {
  return parts.map((member, index) => {
    const place = `${path}[${index}]`;
    const part = parseObject(member, place);
    const type = parseString(part.type, `${place}.type`);
    if (unservedParts.has(type)) {
      throw invalid(
        'unsupported_value',
        `${place}.type`,
        `Unsupported value: '${type}'. No model behind this gateway takes this kind of content.`,
      );
    }
    const parse = allowed.includes(type) ? partParsers.get(type) : undefined;
    if (parse === undefined) throw invalidChoice(`${place}.type`, type, allowed);
    return parse(part, place, losses);
  });
}

function parseImage(part: JsonObject, path: string): InputPart {
  // The chat API's `{url, detail}` in this place is a frequent mistake without ambiguity.
  const nested = isJsonObject(part.image_url) ? part.image_url : null;
  const url = nested === null ? part.image_url : nested.url;
  const detail = part.detail ?? nested?.detail;
  checkOneSource(part, path, ['image_url', 'file_id']);
  const image: InputPart = { type: 'input_image' };
  if (nested !== null || !isAbsent(url))
    image.image_url = parseImageUrl(url, nested === null ? `${path}.image_url` : `${path}.image_url.url`);
  if (!isAbsent(part.file_id)) image.file_id = parseString(part.file_id, `${path}.file_id`, { min: 1 });
  if (!isAbsent(detail)) image.detail = parseChoice(detail, `${path}.detail`, ['low', 'high', 'auto', 'original']);
  return image;
}

function parseFile(part: JsonObject, path: string, losses: Loss[]): InputPart {
  checkOneSource(part, path, ['file_data', 'file_url', 'file_id']);
  const filename = isAbsent(part.filename) ? null : parseString(part.filename, `${path}.filename`);
  const file: InputPart = { type: 'input_file' };
  if (filename !== null) file.filename = filename;
  if (!isAbsent(part.file_data)) file.file_data = parseFileData(part.file_data, `${path}.file_data`, filename);
  if (!isAbsent(part.file_url)) file.file_url = parseRemoteUrl(part.file_url, `${path}.file_url`);
  if (!isAbsent(part.file_id)) file.file_id = parseString(part.file_id, `${path}.file_id`, { min: 1 });
  const detail = isAbsent(part.detail) ? 'auto' : parseChoice(part.detail, `${path}.detail`, ['auto', 'low', 'high']);
  if (detail !== 'auto')
    losses.push({ path: `${path}.detail`, action: 'dropped', reason: 'the detail level of a file cannot be chosen here' });
  return file;
}

function checkOneSource(part: JsonObject, path: string, sources: readonly string[]): void {
  const [first = '', second] = sources.filter((source) => !isAbsent(part[source]));
  if (first === '')
    throw missingParameter(`${path}.${sources[0] ?? ''}`, `A part of this type needs one of: ${sources.join(', ')}.`);
  if (second === undefined) return;
  const message = `Mutually exclusive parameters: '${path}.${second}'. Ensure you are only providing one of: '${first}' or '${second}'.`;
  throw invalid('mutually_exclusive_parameters', `${path}.${second}`, message);
}
