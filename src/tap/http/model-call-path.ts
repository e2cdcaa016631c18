import type { AnswerFraming } from '../frames/answer-framing.ts';

/** What the URL of a model call says. */
export interface ModelCallPath {
  /** Decoded. */
  readonly model: string;
  readonly streams: boolean;
  /** How the caller wants its answer. */
  readonly framing: AnswerFraming;
}

/**
 * `…/models/{m}:streamGenerateContent?alt=sse` and its relatives, whatever stands in front (Vertex has projects and publishers there); `:countTokens` too, because it carries the
 * same texts. Null: no model call.
 */
export function parseModelCallPath(path: string): ModelCallPath | null {
  const [plain, query] = splitOnce(path, '?');
  const [, name, method] = /\/([^/]+?)(?::|%3A)(streamGenerateContent|generateContent|countTokens)$/i.exec(plain) ?? [];
  if (name === undefined || method === undefined) return null;
  const streams = method.toLowerCase() === 'streamgeneratecontent';
  return { model: decodeName(name), streams, framing: streams ? mapAlt(query) : 'object' };
}

function mapAlt(query: string): AnswerFraming {
  const parameters = new URLSearchParams(query);
  return (parameters.get('alt') ?? parameters.get('$alt')) === 'sse' ? 'events' : 'array';
}

function decodeName(name: string): string {
  try {
    return decodeURIComponent(name);
  } catch {
    return name;
  }
}

function splitOnce(text: string, mark: string): readonly [string, string] {
  const at = text.indexOf(mark);
  return at === -1 ? [text, ''] : [text.slice(0, at), text.slice(at + 1)];
}
