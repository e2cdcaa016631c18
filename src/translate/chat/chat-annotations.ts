import { isJsonObject } from '../../lib/json.ts';
import type { TokenLogprob, UrlCitation } from '../../model/model-event.ts';

/** The web sources in `annotations`: OpenAI's nested form, or the members beside `type`. Indices that are missing are 0; other kinds of annotation are not for us. */
export function readCitations(annotations: unknown): readonly UrlCitation[] {
  if (!Array.isArray(annotations)) return [];
  return annotations.filter(isJsonObject).flatMap((annotation) => {
    if (annotation['type'] !== 'url_citation') return [];
    const citation = isJsonObject(annotation['url_citation']) ? annotation['url_citation'] : annotation;
    const { url, title } = citation;
    if (typeof url !== 'string' || url === '') return [];
    const startIndex = readIndex(citation['start_index']);
    const endIndex = Math.max(startIndex, readIndex(citation['end_index']));
    return [{ url, title: typeof title === 'string' && title !== '' ? title : url, startIndex, endIndex }];
  });
}

/** `logprobs.content` of a choice. Entries without token or number are left out; bytes are made from the token where they are missing. */
export function readLogprobs(logprobs: unknown): readonly TokenLogprob[] {
  if (!isJsonObject(logprobs) || !Array.isArray(logprobs['content'])) return [];
  return logprobs['content'].flatMap((entry) => {
    const token = readToken(entry);
    if (token === undefined) return [];
    const top: unknown = isJsonObject(entry) ? entry['top_logprobs'] : undefined;
    const topLogprobs = Array.isArray(top) ? top.flatMap((other) => readToken(other) ?? []) : [];
    return [{ ...token, topLogprobs }];
  });
}

function readToken(entry: unknown): Omit<TokenLogprob, 'topLogprobs'> | undefined {
  if (!isJsonObject(entry)) return undefined;
  const { token, logprob, bytes } = entry;
  if (typeof token !== 'string' || typeof logprob !== 'number') return undefined;
  const isBytes = Array.isArray(bytes) && bytes.every((byte) => typeof byte === 'number');
  return {
    token,
    logprob,
    bytes: isBytes ? bytes.filter((byte) => typeof byte === 'number') : [...new TextEncoder().encode(token)],
  };
}

function readIndex(value: unknown): number {
  return typeof value === 'number' && Number.isSafeInteger(value) && value > 0 ? value : 0;
}
