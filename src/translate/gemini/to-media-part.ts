import type { Translated } from '../../model/loss.ts';
import type { ContentPart } from '../../model/model-request.ts';
import type { GeminiMediaPart } from '../../protocol/gemini/request.ts';

export type MediaContent = Extract<ContentPart, { type: 'image' | 'file' }>;

const mediaTypes: ReadonlyMap<string, string> = new Map(
  Object.entries({
    ...{
      png: 'image/png',
      jpg: 'image/jpeg',
      jpeg: 'image/jpeg',
      webp: 'image/webp',
      heic: 'image/heic',
      heif: 'image/heif',
      gif: 'image/gif',
    },
    ...{ pdf: 'application/pdf', txt: 'text/plain', md: 'text/markdown', csv: 'text/csv', html: 'text/html', xml: 'text/xml' },
    ...{ json: 'text/plain', yaml: 'text/plain', yml: 'text/plain', js: 'text/plain', ts: 'text/plain', py: 'text/plain' },
    ...{ mp3: 'audio/mp3', wav: 'audio/wav', flac: 'audio/flac', ogg: 'audio/ogg', aac: 'audio/aac' },
    ...{ mp4: 'video/mp4', mov: 'video/quicktime', webm: 'video/webm', mpeg: 'video/mpeg' },
  }),
);

/** Texts under a name that Gemini refuses ("Unsupported MIME type"): the bytes are the same. */
const plainTexts = new Set([
  'application/json',
  'application/x-yaml',
  'application/yaml',
  'application/javascript',
  'application/x-sh',
  'application/toml',
]);

/** Whether Gemini refuses inline bytes of this type, though it takes them under another name. */
export function isRefusedMediaType(mediaType: string): boolean {
  return plainTexts.has(mediaType);
}

/**
 * An image or file → inline bytes, or a URI that Gemini fetches by itself: http(s), its own Files API, YouTube. Null when it cannot be sent. The part's `filename` serves only
 * to guess a media type: Gemini has no place for it, and it changes nothing about the answer.
 */
export function toMediaPart(part: MediaContent): Translated<GeminiMediaPart | null> {
  const filename = part.type === 'file' ? part.filename : null;
  const { source } = part;
  if (source.type === 'data') {
    return { value: { inlineData: { mimeType: toInlineType(source.mediaType, filename), data: source.base64 } }, losses: [] };
  }
  const url = URL.canParse(source.url) ? new URL(source.url) : null;
  if (url === null || (url.protocol !== 'https:' && url.protocol !== 'http:')) {
    const reason = 'Gemini fetches only http and https URLs';
    return { value: null, losses: [{ path: part.path, action: 'dropped', reason }] };
  }
  const mimeType = guessMediaType(url, part.type, filename);
  return { value: { fileData: { ...(mimeType !== undefined && { mimeType }), fileUri: source.url } }, losses: [] };
}

function toInlineType(mediaType: string, filename: string | null): string {
  if (plainTexts.has(mediaType)) return 'text/plain';
  if (mediaType !== 'application/octet-stream' || filename === null) return mediaType;
  return typeByName(filename) ?? mediaType;
}

/** Undefined for files of the Files API, which know their own type, and where there is nothing to go by. */
function guessMediaType(url: URL, kind: MediaContent['type'], filename: string | null): string | undefined {
  if (/(?:^|\.)(?:youtube\.com|youtu\.be)$/.test(url.hostname)) return 'video/mp4';
  if (url.hostname === 'generativelanguage.googleapis.com') return undefined;
  return (
    typeByName(url.pathname) ??
    (filename === null ? undefined : typeByName(filename)) ??
    (kind === 'image' ? 'image/jpeg' : undefined)
  );
}

function typeByName(name: string): string | undefined {
  return mediaTypes.get(name.slice(name.lastIndexOf('.') + 1).toLowerCase());
}
