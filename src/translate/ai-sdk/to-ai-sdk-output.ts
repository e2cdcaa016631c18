import type { CallOutputInput } from '../../model/model-request.ts';
import type { AiSdkFilePart, AiSdkOutputPart, AiSdkToolOutput } from '../../protocol/ai-sdk/call-options.ts';
import { joinTexts } from '../chat/to-chat-content.ts';
import { toAiSdkFile, type AiSdkContentOptions } from './to-ai-sdk-content.ts';

/** What a tool returned. Media stand in it where the provider takes them there, else they come back as `media`, for a message of the user. */
export function toAiSdkOutput(
  output: CallOutputInput | undefined,
  options: AiSdkContentOptions,
): { readonly value: AiSdkToolOutput; readonly media: readonly AiSdkFilePart[] } {
  const { content = [], isError } = output ?? {};
  const text = joinTexts(content.map((part) => (part.type === 'text' || part.type === 'refusal' ? part.text : '')));
  const files = content.flatMap((part) => (part.type === 'image' || part.type === 'file' ? toAiSdkFile(part, options) : []));
  const type = isError === true ? 'error-text' : 'text';
  if (files.length === 0 || output === undefined) return { value: { type, value: text }, media: [] };
  if (options.profile.takesMediaInOutputs && files.every(({ data }) => typeof data === 'string')) {
    if (isError === true) reportMark(output, options);
    const said = text === '' ? [] : [{ type: 'text' as const, text }];
    return { value: { type: 'content', value: [...said, ...files.map(toPart)] }, media: [] };
  }
  const reason = 'what is no text in it was put into a user message after the tool outputs';
  options.report({ path: output.path, action: 'emulated', reason });
  return { value: { type, value: text === '' ? '(see the next message of the user)' : text }, media: files };
}

function reportMark({ path }: CallOutputInput, { report }: AiSdkContentOptions): void {
  report({ path, action: 'dropped', reason: 'an output with images or files cannot say that its tool failed' });
}

function toPart({ data, mediaType, filename }: AiSdkFilePart): AiSdkOutputPart {
  const base64 = String(data);
  if (mediaType.startsWith('image/')) return { type: 'image-data', data: base64, mediaType };
  return { type: 'file-data', data: base64, mediaType, ...(filename !== undefined && { filename }) };
}
