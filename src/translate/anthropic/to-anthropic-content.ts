import type { Loss } from '../../model/loss.ts';
import type { CallOutputInput, ContentPart } from '../../model/model-request.ts';
import type {
  AnthropicDocumentBlock,
  AnthropicImageBlock,
  AnthropicTextBlock,
  AnthropicToolResultBlock,
  AnthropicToolResultPart,
} from '../../protocol/anthropic/request.ts';

export type ReportLoss = (loss: Loss) => void;

type MediaPart = Extract<ContentPart, { type: 'image' | 'file' }>;

/** Parts of a user message or a tool output → blocks. Blank texts are left out, because Anthropic refuses them. */
export function toAnthropicBlocks(parts: readonly ContentPart[], report: ReportLoss): AnthropicToolResultPart[] {
  return parts.flatMap((part): AnthropicToolResultPart[] => {
    if (part.type === 'image' || part.type === 'file') return toMediaBlocks(part, report);
    return toTextBlocks(part.text);
  });
}

/** One block, or none for a text that says nothing. */
export function toTextBlocks(text: string): AnthropicTextBlock[] {
  return text.trim() === '' ? [] : [{ type: 'text', text }];
}

/** The texts of a message that can hold nothing else. */
export function toTexts(parts: readonly ContentPart[], report: ReportLoss): string[] {
  return parts.flatMap((part) => {
    if (part.type === 'text' || part.type === 'refusal') return part.text.trim() === '' ? [] : [part.text];
    report({ path: part.path, action: 'dropped', reason: 'Anthropic takes only text in this place' });
    return [];
  });
}

/** Stands in the result of a failed call where there is nothing else to say it. */
const failed = 'The call failed.';

/** The output of a call. A single text is sent as a string, as clients write it. Anthropic refuses `is_error` without content, and with any but text: then words say it. */
export function toToolResult(id: string, output: CallOutputInput | undefined, report: ReportLoss): AnthropicToolResultBlock {
  const blocks = toAnthropicBlocks(output?.content ?? [], report);
  const result = { type: 'tool_result', tool_use_id: id } as const;
  if (output?.isError !== true) return { ...result, ...toResultContent(blocks) };
  if (blocks.every(({ type }) => type === 'text'))
    return { ...result, content: failed, ...toResultContent(blocks), is_error: true };
  const reason = 'the result of a failed call holds only text there, so this one says in words that it failed';
  report({ path: output.path, action: 'emulated', reason });
  return { ...result, content: [{ type: 'text', text: failed }, ...blocks] };
}

function toResultContent(blocks: AnthropicToolResultPart[]): Pick<AnthropicToolResultBlock, 'content'> {
  const [first] = blocks;
  if (first === undefined) return {};
  return { content: blocks.length === 1 && first.type === 'text' ? first.text : blocks };
}

function toMediaBlocks(
  part: MediaPart,
  report: ReportLoss,
): (AnthropicImageBlock | AnthropicDocumentBlock | AnthropicTextBlock)[] {
  const block = part.source.type === 'url' ? toUrlBlock(part, part.source.url) : toDataBlock(part, part.source);
  if (typeof block !== 'string') return block === null ? [] : [block];
  report({ path: part.path, action: 'dropped', reason: block });
  return [];
}

type MediaBlock = AnthropicImageBlock | AnthropicDocumentBlock;

/** A text says why it cannot be sent. */
function toUrlBlock(part: MediaPart, address: string): MediaBlock | string {
  const url = URL.canParse(address) ? new URL(address) : null;
  if (url === null || (url.protocol !== 'https:' && url.protocol !== 'http:'))
    return 'Anthropic fetches only http and https URLs';
  const source = { type: 'url', url: address } as const;
  const isImage = part.type === 'image' || /\.(?:png|jpe?g|gif|webp)$/i.test(url.pathname);
  return isImage ? { type: 'image', source } : toDocument(part, source);
}

function toDataBlock(
  part: MediaPart,
  { mediaType, base64 }: { readonly mediaType: string; readonly base64: string },
): MediaBlock | string | null {
  const type = mediaType.toLowerCase();
  const image = imageTypes.get(type);
  if (image !== undefined) return { type: 'image', source: { type: 'base64', media_type: image, data: base64 } };
  if (part.type === 'image') return `Anthropic takes PNG, JPEG, GIF and WebP images, not ${toShown(type)}`;
  if (type === 'application/pdf' || isPdfName(part.filename))
    return toDocument(part, { type: 'base64', media_type: 'application/pdf', data: base64 });
  const text = isText(type) ? decodeText(base64) : null;
  if (text === null) return `Anthropic takes PDF and text files, not ${toShown(type)}`;
  return text.trim() === '' ? null : toDocument(part, { type: 'text', media_type: 'text/plain', data: text });
}

const imageTypes: ReadonlyMap<string, string> = new Map(
  Object.entries({
    'image/png': 'image/png',
    'image/jpeg': 'image/jpeg',
    'image/jpg': 'image/jpeg',
    'image/gif': 'image/gif',
    'image/webp': 'image/webp',
  }),
);

function toDocument(part: MediaPart, source: AnthropicDocumentBlock['source']): AnthropicDocumentBlock {
  const title = part.type === 'file' ? part.filename : null;
  return { type: 'document', source, ...(title !== null && title !== '' && { title }) };
}

function isPdfName(filename: string | null): boolean {
  return filename !== null && /\.pdf$/i.test(filename);
}

/** Files without a known type may be text too: their bytes tell. */
function isText(type: string): boolean {
  return /^text\/|[/+](?:json|xml|ya?ml|toml|javascript|typescript|x-sh|octet-stream)$/.test(type);
}

/** Null when the bytes are not UTF-8 text. */
function decodeText(base64: string): string | null {
  try {
    const bytes = Uint8Array.from(atob(base64), (character) => character.charCodeAt(0));
    const text = new TextDecoder('utf-8', { fatal: true }).decode(bytes);
    return text.includes('\0') ? null : text;
  } catch {
    return null;
  }
}

function toShown(type: string): string {
  return /^[\w.+-]{1,40}\/[\w.+-]{1,80}$/.test(type) ? type : 'this type';
}
