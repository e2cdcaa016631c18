import type { Loss } from '../../model/loss.ts';
import type { ContentPart, MediaSource } from '../../model/model-request.ts';
import type { ChatUserPart } from '../../protocol/chat/request.ts';
import type { ChatProfile } from './chat-profile.ts';

type MediaPart = Extract<ContentPart, { type: 'image' | 'file' }>;

/** Takes losses as they are found. */
export type ReportLoss = (loss: Loss) => void;

/** Texts of a message as one string. What is not text is lost: only user messages may carry media. */
export function toTextContent(parts: readonly ContentPart[], report: ReportLoss): string {
  return joinTexts(
    parts.map((part) => {
      if (part.type === 'text' || part.type === 'refusal') return part.text;
      report({ path: part.path, action: 'dropped', reason: `a chat server takes ${part.type}s only in messages of the user` });
      return '';
    }),
  );
}

/** Content of a user message: a plain string where it is only text, parts where media need them. */
export function toUserContent(parts: readonly ContentPart[], profile: ChatProfile, report: ReportLoss): string | ChatUserPart[] {
  const translated = parts.flatMap((part) => {
    if (part.type === 'text' || part.type === 'refusal') return [{ type: 'text' as const, text: part.text }];
    return toMediaParts(part, profile, report);
  });
  // A turn that says nothing would be refused; that something was here is told.
  if (translated.length === 0) return parts.length === 0 ? '' : '(an attachment that cannot be shown)';
  const texts = translated.flatMap((part) => (part.type === 'text' ? [part.text] : []));
  return texts.length === translated.length ? joinTexts(texts) : translated;
}

/** Texts that stood apart, as one. */
export function joinTexts(texts: readonly string[]): string {
  return texts.filter((text) => text !== '').join('\n\n');
}

/** An image or a file in the form this server takes; nothing, and a loss, where it takes none. */
export function toMediaParts(part: MediaPart, profile: ChatProfile, report: ReportLoss): ChatUserPart[] {
  const { source } = part;
  if (part.type === 'image' || (source.type === 'data' && source.mediaType.startsWith('image/')))
    return toImage(part, profile, report);
  if (source.type === 'data' && source.mediaType !== 'application/pdf') return toInlineText(part, source, report);
  return toDocument(part, profile, report);
}

function toImage(part: MediaPart, profile: ChatProfile, report: ReportLoss): ChatUserPart[] {
  const { source, path } = part;
  if (!profile.acceptsImages) return drop(report, path, 'this server takes no images');
  if (source.type === 'url' && !profile.fetchesUrls)
    return drop(report, path, 'this server must not fetch URLs; send the image as a data URL');
  const detail = part.type === 'image' ? part.detail : null;
  return [{ type: 'image_url', image_url: { url: urlOf(source), ...toDetail(detail, path, profile, report) } }];
}

/** Chat knows three levels, where it knows any; the Responses API also has `original`. `auto` leaves it to the server, which it does by itself. */
function toDetail(detail: string | null, path: string, profile: ChatProfile, report: ReportLoss): { detail?: string } {
  if (detail === null) return {};
  if (!profile.imageDetail) {
    if (detail !== 'auto')
      report({ path: `${path}.detail`, action: 'dropped', reason: 'this server cannot be told how closely to look at an image' });
    return {};
  }
  if (['auto', 'low', 'high'].includes(detail)) return { detail };
  report({ path: `${path}.detail`, action: 'approximated', reason: 'the nearest level this server knows is high' });
  return { detail: 'high' };
}

/** Text files say the same as text. */
function toInlineText(part: MediaPart, source: Extract<MediaSource, { type: 'data' }>, report: ReportLoss): ChatUserPart[] {
  const text = decodeText(source.base64);
  if (text === null) return drop(report, part.path, `this server takes no files of type ${source.mediaType}`);
  report({ path: part.path, action: 'emulated', reason: 'the file was put into the message as text' });
  const name = nameOf(part) ?? 'file';
  return [{ type: 'text', text: `<file name=${JSON.stringify(name)}>\n${text}\n</file>` }];
}

function toDocument(part: MediaPart, profile: ChatProfile, report: ReportLoss): ChatUserPart[] {
  const { source, path } = part;
  if (profile.files === 'none') return drop(report, path, 'this server takes no files');
  const canFetch = profile.fetchesUrls && profile.vendor !== 'openai';
  if (source.type === 'url' && !canFetch)
    return drop(report, path, 'this server does not fetch files; send the file as a data URL');
  const name = nameOf(part);
  if (profile.files === 'document-url')
    return [{ type: 'document_url', document_url: urlOf(source), ...(name !== null && { document_name: name }) }];
  return [{ type: 'file', file: { filename: name ?? 'document.pdf', file_data: urlOf(source) } }];
}

function nameOf(part: MediaPart): string | null {
  return part.type === 'file' ? part.filename : null;
}

function urlOf(source: MediaSource): string {
  return source.type === 'url' ? source.url : `data:${source.mediaType};base64,${source.base64}`;
}

function drop(report: ReportLoss, path: string, reason: string): [] {
  report({ path, action: 'dropped', reason });
  return [];
}

/** Null when the bytes are not UTF-8 text. */
function decodeText(base64: string): string | null {
  try {
    const text = new TextDecoder('utf-8', { fatal: true }).decode(
      Uint8Array.from(atob(base64), (character) => character.charCodeAt(0)),
    );
    return text.includes('\0') ? null : text;
  } catch {
    return null;
  }
}
