import { isJsonObject, type JsonObject } from '../../lib/json.ts';
import type { Marks } from '../marks.ts';
import { readExactJson } from './exact-json.ts';
import { innerRequest, mapStrings, withInnerRequest } from './gemini-body.ts';

/**
 * A body without any mark of ours and otherwise as it was, byte for byte. Only where a mark was all that a text part had, the part goes too (Gemini refuses empty ones), and with it
 * a content that has no other.
 */
export function stripBody(source: string, marks: Marks): string {
  const json = readExactJson(source);
  const body = json?.value;
  if (json !== undefined && isJsonObject(body)) {
    const contents = innerRequest(body)['contents'];
    const kept = Array.isArray(contents) ? (contents as readonly unknown[]).map((content) => withoutEmptied(content, marks)) : [];
    if (kept.some((content, at) => content !== (contents as readonly unknown[])[at])) {
      const left = kept.filter((content) => content !== null);
      const inner = { ...innerRequest(body), contents: left.length > 0 ? left : [blankContent] };
      return json.write(mapStrings(withInnerRequest(body, inner), (text) => marks.stripMarks(text)));
    }
  }
  return marks.stripJsonSource(source);
}

/** What stands where nothing is left: Gemini wants at least one content, and text in it. */
export const blankContent: JsonObject = { role: 'user', parts: [{ text: ' ' }] };

/** The content itself when no part of it was a mark and nothing else; null when nothing is left of it. */
function withoutEmptied(content: unknown, marks: Marks): unknown {
  if (!isJsonObject(content) || !Array.isArray(content['parts'])) return content;
  const parts = content['parts'] as readonly unknown[];
  const left = parts.filter((part) => !isEmptied(part, marks));
  if (left.length === parts.length) return content;
  return left.length === 0 ? null : { ...content, parts: left };
}

function isEmptied(part: unknown, marks: Marks): boolean {
  if (!isJsonObject(part) || Object.keys(part).length !== 1) return false;
  const { text } = part;
  return typeof text === 'string' && text !== '' && marks.stripMarks(text) === '';
}
