import { invalid, toPreview } from './request-error.ts';
import { parseString } from './parse-value.ts';

/** Both published schemas say so (OpenAI and Open Responses). */
const imageUrlLength = 20_971_520;
/** A media type and its parameters are short; a comma further on is not that of a data URL. */
const headerLength = 512;
const mediaType = /^[a-z0-9][a-z0-9!#$&^_.+-]*\/[a-z0-9][a-z0-9!#$&^_.+-]*$/;
/** A search for one wrong character never backtracks: bodies of many megabytes stay linear. */
const notBase64 = /[^A-Za-z0-9+/]/;

/** What Open Responses clients name their files, for `file_data` that is bare base64 and therefore has no media type. */
const mediaTypes: ReadonlyMap<string, string> = new Map([
  ['pdf', 'application/pdf'],
  ['txt', 'text/plain'],
  ['md', 'text/markdown'],
  ['csv', 'text/csv'],
  ['html', 'text/html'],
  ['json', 'application/json'],
  ['xml', 'application/xml'],
  ['png', 'image/png'],
  ['jpg', 'image/jpeg'],
  ['jpeg', 'image/jpeg'],
  ['gif', 'image/gif'],
  ['webp', 'image/webp'],
  ['mp3', 'audio/mpeg'],
  ['wav', 'audio/wav'],
  ['mp4', 'video/mp4'],
]);

/**
 * Unknown → an http(s) URL, or a data URL of an image in the canonical form `data:image/png;base64,…` (lower case, without parameters). Throws `invalid_value`.
 */
export function parseImageUrl(value: unknown, path: string): string {
  const url = parseString(value, path, { min: 1, max: imageUrlLength });
  if (!isDataUrl(url)) return checkRemoteUrl(url, path);
  return toCanonicalDataUrl(url, path, 'an image MIME type');
}

/**
 * Unknown → a data URL in canonical form. Bare base64, which Open Responses describes, becomes one: its media type is that of the file name, else
 * `application/octet-stream`. Throws `invalid_value`.
 */
export function parseFileData(value: unknown, path: string, filename: string | null): string {
  const data = parseString(value, path, { min: 1 });
  if (isDataUrl(data)) return toCanonicalDataUrl(data, path, 'a MIME type');
  const fault = findBase64Fault(data, 0);
  if (fault !== null) throw invalidDataUrl(path, 'a MIME type', "a value without the 'data:' prefix");
  const extension = filename?.split('.').pop()?.toLowerCase() ?? '';
  return `data:${mediaTypes.get(extension) ?? 'application/octet-stream'};base64,${data}`;
}

/** Unknown → http(s) URL. Throws `invalid_value`. */
export function parseRemoteUrl(value: unknown, path: string): string {
  return checkRemoteUrl(parseString(value, path, { min: 1, max: imageUrlLength }), path);
}

function checkRemoteUrl(url: string, path: string): string {
  // Other schemes (file:, gopher: …) have no business in a prompt: whoever fetches would read its own disk or network.
  if (/^https?:\/\//i.test(url) && URL.canParse(url)) return url;
  throw invalid(
    'invalid_value',
    path,
    `Invalid '${path}'. Expected a valid URL (https:// or http://) or a base64-encoded data URL, but got a value with an invalid format.`,
  );
}

function isDataUrl(text: string): boolean {
  return text.slice(0, 5).toLowerCase() === 'data:';
}

function toCanonicalDataUrl(url: string, path: string, wanted: string): string {
  const comma = url.slice(0, headerLength).indexOf(',');
  if (comma < 0) throw invalidDataUrl(path, wanted, 'a value without a comma behind the MIME type');
  const header = url.slice(5, comma).toLowerCase().split(';');
  const type = (header[0] ?? '').trim();
  const isWantedType = mediaType.test(type) && (wanted !== 'an image MIME type' || type.startsWith('image/'));
  if (!isWantedType) throw invalidDataUrl(path, wanted, `unsupported MIME type '${toPreview(type)}'`);
  if (header.length < 2 || header.at(-1)?.trim() !== 'base64') throw invalidDataUrl(path, wanted, "a value without ';base64'");
  const fault = findBase64Fault(url, comma + 1);
  if (fault !== null) throw invalidDataUrl(path, wanted, fault);
  const prefix = `data:${type};base64,`;
  return url.startsWith(prefix) ? url : prefix + url.slice(comma + 1);
}

/** What is wrong with the base64 text (RFC 4648 §4, padded) from `start` on, or null. */
function findBase64Fault(text: string, start: number): string | null {
  const length = text.length - start;
  if (length === 0) return 'empty base64-encoded bytes';
  let end = text.length;
  if (text.endsWith('==')) end -= 2;
  else if (text.endsWith('=')) end -= 1;
  const isWhole = length % 4 === 0 && end > start;
  return isWhole && !notBase64.test(text.slice(start, end)) ? null : 'invalid base64-encoded bytes';
}

function invalidDataUrl(path: string, wanted: string, got: string): Error {
  const example = wanted === 'an image MIME type' ? 'data:image/png;base64,aGVsbG8=' : 'data:application/pdf;base64,aGVsbG8=';
  return invalid(
    'invalid_value',
    path,
    `Invalid '${path}'. Expected a base64-encoded data URL with ${wanted} (e.g. '${example}'), but got ${got}.`,
  );
}
