import type { ContentPart } from '../../model/model-request.ts';
import type { AiSdkFilePart, AiSdkUserPart } from '../../protocol/ai-sdk/call-options.ts';
import type { ReportLoss } from '../chat/to-chat-content.ts';
import type { AiSdkProfile } from './ai-sdk-profile.ts';

export interface AiSdkContentOptions {
  readonly profile: AiSdkProfile;
  /** Whether the model's server fetches such a URL by itself. */
  readonly acceptsUrl: (mediaType: string, url: string) => boolean;
  readonly report: ReportLoss;
}

type MediaPart = Extract<ContentPart, { type: 'image' | 'file' }>;

/** Content of a user message. What the provider cannot be given is a loss, and a message that consisted of it says that something was here. */
export function toAiSdkContent(parts: readonly ContentPart[], options: AiSdkContentOptions): AiSdkUserPart[] {
  const content = parts.flatMap((part): AiSdkUserPart[] => {
    if (part.type === 'text' || part.type === 'refusal') return part.text === '' ? [] : [{ type: 'text', text: part.text }];
    return toAiSdkFile(part, options);
  });
  const hadMedia = parts.some(({ type }) => type === 'image' || type === 'file');
  return content.length === 0 && hadMedia ? [{ type: 'text', text: '(an attachment that cannot be shown)' }] : content;
}

/** An image or a file; nothing, and a loss, where it would have to be fetched by us. */
export function toAiSdkFile(part: MediaPart, { profile, acceptsUrl, report }: AiSdkContentOptions): AiSdkFilePart[] {
  const { source, path } = part;
  const name = part.type === 'file' && part.filename !== null ? { filename: part.filename } : {};
  const detail = toDetail(part, profile, report);
  if (source.type === 'data') return [{ type: 'file', mediaType: source.mediaType, data: source.base64, ...name, ...detail }];
  const mediaType = guessMediaType(part.type, source.url);
  if (URL.canParse(source.url) && acceptsUrl(mediaType, source.url))
    return [{ type: 'file', mediaType, data: new URL(source.url), ...name, ...detail }];
  report({ path, action: 'dropped', reason: 'this provider fetches no such URL; send the content as a data URL' });
  return [];
}

/** `auto` is what everybody does anyway. */
function toDetail(
  part: MediaPart,
  { family, optionsKey }: AiSdkProfile,
  report: ReportLoss,
): Pick<AiSdkFilePart, 'providerOptions'> {
  const detail = part.type === 'image' ? part.detail : null;
  if (detail === null || detail === 'auto') return {};
  if (family === 'openai') return { providerOptions: { [optionsKey]: { imageDetail: detail } } };
  report({
    path: `${part.path}.detail`,
    action: 'dropped',
    reason: 'this provider cannot be told how closely to look at an image',
  });
  return {};
}

const mediaTypes: { readonly [extension: string]: string } = {
  png: 'image/png',
  jpg: 'image/jpeg',
  jpeg: 'image/jpeg',
  webp: 'image/webp',
  gif: 'image/gif',
  txt: 'text/plain',
};

/** By the end of the path. A file at a URL is nearly always a PDF: hardly a model takes another. */
function guessMediaType(type: 'image' | 'file', url: string): string {
  const path = URL.canParse(url) ? new URL(url).pathname : url;
  const known = mediaTypes[/\.(\w{1,5})$/.exec(path)?.[1]?.toLowerCase() ?? ''];
  if (type === 'image') return known?.startsWith('image/') === true ? known : 'image/*';
  return known ?? 'application/pdf';
}
