import type { JsonObject } from '../../lib/json.ts';
import type { Loss } from '../../model/loss.ts';
import type { InputPart } from '../../protocol/responses/items.ts';
import { parseFileData, parseImageUrl, parseRemoteUrl } from '../parse/parse-media.ts';
import { isAbsent, parseArray, parseBoolean, parseObject, parseString } from '../parse/parse-value.ts';
import { invalid, invalidChoice } from '../parse/request-error.ts';

/** A part in the hub's words, and where the client wrote it. */
export interface NamedPart {
  readonly part: InputPart;
  readonly path: string;
}

/**
 * `content` of a message or of a tool result: a string is one text. `fromBlock` reads what stands in a list. Throws `invalid_type`, or `missing_required_parameter` for a block without a type.
 */
export function readBlocks(
  content: unknown,
  path: string,
  fromBlock: (block: JsonObject, type: string, path: string) => void,
): void {
  if (typeof content === 'string') {
    fromBlock({ text: content }, 'text', path);
    return;
  }
  parseArray(content, path).forEach((value, at) => {
    const place = `${path}[${String(at)}]`;
    const block = parseObject(value, place);
    fromBlock(block, parseString(block.type, `${place}.type`), place);
  });
}

/** What a user or a tool can show: text, images, documents, search results. Undefined: the block is none of these. Throws GatewayError with the `param` of what is wrong in it. */
export function fromShownBlock(block: JsonObject, type: string, path: string, losses: Loss[]): NamedPart[] | undefined {
  switch (type) {
    case 'text':
      return [toText(parseString(block.text, block.type === undefined ? path : `${path}.text`), path)];
    case 'image':
      return [{ part: { type: 'input_image', image_url: fromImageSource(block.source, `${path}.source`) }, path }];
    case 'document':
      return fromDocument(block, path, losses);
    case 'search_result':
      return fromSearchResult(block, path);
    case 'tool_reference':
      // All tools are loaded from the beginning, so this only tells which one was found.
      return [toText(`The tool ${parseString(block.tool_name, `${path}.tool_name`)} is available.`, path)];
    default:
      return undefined;
  }
}

function toText(text: string, path: string): NamedPart {
  return { part: { type: 'input_text', text }, path };
}

const imageType = /^image\/[a-zA-Z0-9.+-]+$/;

function fromImageSource(value: unknown, path: string): string {
  const source = parseObject(value, path);
  const type = parseString(source.type, `${path}.type`);
  switch (type) {
    case 'base64': {
      const mediaType = parseString(source.media_type, `${path}.media_type`, { pattern: imageType });
      return parseImageUrl(`data:${mediaType};base64,${parseString(source.data, `${path}.data`, { min: 1 })}`, `${path}.data`);
    }
    case 'url':
      return parseImageUrl(source.url, `${path}.url`);
    case 'file':
      throw noFiles(path);
    default:
      throw invalidChoice(`${path}.type`, type, ['base64', 'url']);
  }
}

/** A document's title and context are for the model to read, so they become text before it. */
function fromDocument(block: JsonObject, path: string, losses: Loss[]): NamedPart[] {
  const place = `${path}.source`;
  const source = parseObject(block.source, place);
  const title = readOptional(block.title, `${path}.title`);
  const context = readOptional(block.context, `${path}.context`);
  noteCitations(block.citations, `${path}.citations`, losses);
  const type = parseString(source.type, `${place}.type`);
  switch (type) {
    case 'base64': {
      const mediaType = parseString(source.media_type, `${place}.media_type`, { min: 1 });
      const data = `data:${mediaType};base64,${parseString(source.data, `${place}.data`, { min: 1 })}`;
      return [...toTexts([context], path), toFile({ file_data: parseFileData(data, `${place}.data`, null) }, title, path)];
    }
    case 'url':
      return [...toTexts([context], path), toFile({ file_url: parseRemoteUrl(source.url, `${place}.url`) }, title, path)];
    case 'text':
      return toTexts([title, context, parseString(source.data, `${place}.data`)], path);
    case 'content':
      return [...toTexts([title, context], path), ...fromContentSource(source.content, `${place}.content`)];
    case 'file':
      throw noFiles(place);
    default:
      throw invalidChoice(`${place}.type`, type, ['base64', 'text', 'content', 'url']);
  }
}

function toFile(data: { file_data: string } | { file_url: string }, title: string, path: string): NamedPart {
  return { part: { type: 'input_file', ...data, ...(title !== '' && { filename: title }) }, path };
}

/** A document made of blocks: text and images. */
function fromContentSource(content: unknown, path: string): NamedPart[] {
  const parts: NamedPart[] = [];
  readBlocks(content, path, (block, type, place) => {
    const shown = type === 'text' || type === 'image' ? fromShownBlock(block, type, place, []) : undefined;
    if (shown === undefined) throw invalidChoice(`${place}.type`, type, ['text', 'image']);
    parts.push(...shown);
  });
  return parts;
}

function fromSearchResult(block: JsonObject, path: string): NamedPart[] {
  const head = [parseString(block.title, `${path}.title`), parseString(block.source, `${path}.source`)].join('\n');
  const texts = parseArray(block.content, `${path}.content`).map((value, at) => {
    const place = `${path}.content[${String(at)}]`;
    return parseString(parseObject(value, place).text, `${place}.text`);
  });
  return toTexts([head, ...texts], path);
}

function toTexts(texts: readonly string[], path: string): NamedPart[] {
  const text = texts.filter((one) => one !== '').join('\n\n');
  return text === '' ? [] : [toText(text, path)];
}

function readOptional(value: unknown, path: string): string {
  return isAbsent(value) ? '' : parseString(value, path);
}

function noteCitations(value: unknown, path: string, losses: Loss[]): void {
  if (isAbsent(value)) return;
  const { enabled } = parseObject(value, path);
  if (isAbsent(enabled) || !parseBoolean(enabled, `${path}.enabled`)) return;
  losses.push({ path, action: 'dropped', reason: 'answers cannot cite documents here' });
}

function noFiles(path: string): Error {
  const message = `This gateway keeps no files, so a 'file_id' means nothing to it. Send the content with a source of type 'base64'.`;
  return invalid('unsupported_value', `${path}.file_id`, message);
}
