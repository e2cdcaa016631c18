import { isJsonObject } from '../../lib/json.ts';

export interface ContentPiece {
  readonly type: 'text' | 'reasoning' | 'refusal';
  readonly text: string;
}

/** `content` that is a list of parts (Mistral) or a single part. References and unknown parts say nothing that could be shown. */
export function readContent(content: unknown): readonly ContentPiece[] {
  const parts: readonly unknown[] = Array.isArray(content) ? content : [content];
  return parts.flatMap(readPart).filter(({ text }) => text !== '');
}

function readPart(part: unknown): ContentPiece[] {
  if (typeof part === 'string') return [{ type: 'text', text: part }];
  if (!isJsonObject(part)) return [];
  const { type, text, thinking, refusal } = part;
  if (type === 'thinking' || type === 'reasoning') return [{ type: 'reasoning', text: readThinking(thinking ?? text) }];
  if (type === 'refusal') return typeof refusal === 'string' ? [{ type: 'refusal', text: refusal }] : [];
  return typeof text === 'string' ? [{ type: 'text', text }] : [];
}

/** Mistral nests text parts; a plain string is read too. */
function readThinking(thinking: unknown): string {
  if (typeof thinking === 'string') return thinking;
  if (!Array.isArray(thinking)) return '';
  return thinking.map((part) => (isJsonObject(part) && typeof part['text'] === 'string' ? part['text'] : '')).join('');
}
