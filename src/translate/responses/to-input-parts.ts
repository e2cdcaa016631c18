import type { ContentPart } from '../../model/model-request.ts';
import type { BodyInputPart } from '../../protocol/responses/create-body.ts';
import { toMediaParts, type ReportLoss } from '../chat/to-chat-content.ts';
import type { ResponsesProfile } from './responses-profile.ts';

/** A part of a message or of a tool's output, for this server; nothing, and a loss, where it takes no such thing. */
export function toInputParts(part: ContentPart, profile: ResponsesProfile, report: ReportLoss): readonly BodyInputPart[] {
  switch (part.type) {
    case 'text':
    case 'refusal':
      return [{ type: 'input_text', text: part.text }];
    case 'image':
      return toImage(part, profile, report);
    case 'file':
      return profile.takesFiles ? toFile(part, profile, report) : toKnownParts(part, profile, report);
  }
}

function toImage(
  part: Extract<ContentPart, { type: 'image' }>,
  profile: ResponsesProfile,
  report: ReportLoss,
): readonly BodyInputPart[] {
  const { source, detail, path } = part;
  if (!profile.chat.acceptsImages) return drop(report, path, 'this server takes no images');
  if (source.type === 'url' && !mayFetch(profile))
    return drop(report, path, 'this server must not fetch URLs; send the image as a data URL');
  return [{ type: 'input_image', image_url: urlOf(source), ...(detail !== null && { detail }) }];
}

function toFile(
  part: Extract<ContentPart, { type: 'file' }>,
  profile: ResponsesProfile,
  report: ReportLoss,
): readonly BodyInputPart[] {
  const { source, filename, path } = part;
  if (source.type === 'data')
    return [{ type: 'input_file', filename: filename ?? nameFor(source.mediaType), file_data: urlOf(source) }];
  if (!mayFetch(profile)) return drop(report, path, 'this server must not fetch files; send the file as a data URL');
  return [{ type: 'input_file', file_url: source.url }];
}

/** Servers of open models have no parser for files: texts and pictures go in as such. */
function toKnownParts(
  part: Extract<ContentPart, { type: 'file' }>,
  profile: ResponsesProfile,
  report: ReportLoss,
): readonly BodyInputPart[] {
  return toMediaParts(part, profile.chat, report).flatMap((translated): BodyInputPart[] => {
    if (translated.type === 'text') return [{ type: 'input_text', text: translated.text }];
    if (translated.type === 'image_url') return [{ type: 'input_image', image_url: translated.image_url.url }];
    return [];
  });
}

/** What a client names must not be fetched from inside of the operator's network. */
export function mayFetch({ chat }: ResponsesProfile): boolean {
  return chat.fetchesUrls && !chat.isLocal;
}

/** A file needs a name; its ending tells what it is. */
function nameFor(mediaType: string): string {
  const ending = /^[\w.-]+\/(?:x-)?([a-z0-9]{1,8})$/i.exec(mediaType)?.[1] ?? 'bin';
  return `document.${ending === 'plain' ? 'txt' : ending}`;
}

function urlOf(source: Extract<ContentPart, { type: 'image' }>['source']): string {
  return source.type === 'url' ? source.url : `data:${source.mediaType};base64,${source.base64}`;
}

function drop(report: ReportLoss, path: string, reason: string): [] {
  report({ path, action: 'dropped', reason });
  return [];
}
