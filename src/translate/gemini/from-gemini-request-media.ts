import type { InputPart } from '../../protocol/responses/items.ts';
import { parseImageUrl, parseRemoteUrl } from '../parse/parse-media.ts';
import { parseString } from '../parse/parse-value.ts';
import { invalid, toPreview } from '../parse/request-error.ts';
import { mapMediaResolution } from './from-gemini-request-config.ts';
import { readMembers, type Member, type Members } from './from-gemini-request-members.ts';

const mimeType = /^[a-z0-9][a-z0-9!#$&^_.+-]*\/[a-z0-9][a-z0-9!#$&^_.+-]*$/;

/** For files behind a URL without a telling name: what other servers go by. */
const extensions: ReadonlyMap<string, string> = new Map([
  ['application/pdf', 'pdf'],
  ['application/json', 'json'],
  ['text/plain', 'txt'],
  ['text/markdown', 'md'],
  ['text/csv', 'csv'],
  ['text/html', 'html'],
  ['text/xml', 'xml'],
  ['audio/mpeg', 'mp3'],
  ['audio/mp3', 'mp3'],
  ['audio/wav', 'wav'],
  ['audio/flac', 'flac'],
  ['audio/ogg', 'ogg'],
  ['audio/aac', 'aac'],
  ['video/mp4', 'mp4'],
  ['video/quicktime', 'mov'],
  ['video/webm', 'webm'],
  ['video/mpeg', 'mpeg'],
]);

/** `inlineData` → image or file with a data URL. Both alphabets of base64 are taken, as protobuf's JSON does. Throws `invalid_value` at `mimeType` or `data`. */
export function readInlineData(part: Members): InputPart {
  const blob = readMembers(part.get('inlineData'));
  const type = parseMimeType(blob.get('mimeType'));
  const url = `data:${type};base64,${parseBase64(blob.get('data'))}`;
  if (type.startsWith('image/')) return { type: 'input_image', image_url: url, ...readDetail(part) };
  return { type: 'input_file', file_data: url, ...readName(blob) };
}

/** `fileData` → image or file behind an http(s) URL; `gs:` and bare file names lead nowhere outside of Google. Throws `invalid_value` at `fileUri`. */
export function readFileData(part: Members): InputPart {
  const file = readMembers(part.get('fileData'));
  const { value, path } = file.get('fileUri');
  const type = file.has('mimeType') ? parseMimeType(file.get('mimeType')) : null;
  if (type?.startsWith('image/') === true)
    return { type: 'input_image', image_url: parseImageUrl(value, path), ...readDetail(part) };
  const url = parseRemoteUrl(value, path);
  const name = readName(file);
  const extension = type === null ? undefined : extensions.get(type);
  const isNamed = name.filename !== undefined || extension === undefined || url.toLowerCase().endsWith(`.${extension}`);
  return { type: 'input_file', file_url: url, ...(isNamed ? name : { filename: `file.${extension}` }) };
}

function parseMimeType({ value, path }: Member): string {
  const type = (parseString(value, path, { min: 1 }).split(';')[0] ?? '').trim().toLowerCase();
  if (mimeType.test(type)) return type;
  throw invalid('invalid_value', path, `Invalid '${path}': '${toPreview(type)}' is no MIME type.`);
}

function parseBase64({ value, path }: Member): string {
  const text = parseString(value, path, { min: 1 });
  const standard = text.includes('-') || text.includes('_') ? text.replaceAll('-', '+').replaceAll('_', '/') : text;
  const bare = standard.endsWith('=') ? standard.replace(/={1,2}$/, '') : standard;
  if (bare === '' || bare.length % 4 === 1 || /[^A-Za-z0-9+/]/.test(bare))
    throw invalid('invalid_value', path, `Invalid '${path}': it is not base64.`);
  return bare.padEnd(Math.ceil(bare.length / 4) * 4, '=');
}

function readName(holder: Members): { filename?: string } {
  const { value, path } = holder.get('displayName');
  return value === undefined ? {} : { filename: parseString(value, path) };
}

function readDetail(part: Members): { detail?: string } {
  if (!part.has('mediaResolution')) return {};
  const { value, path } = part.get('mediaResolution');
  const level = typeof value === 'string' ? { value, path } : readMembers({ value, path }).get('level');
  const detail = level.value === undefined ? null : mapMediaResolution(level.value, level.path);
  return detail === null ? {} : { detail };
}
