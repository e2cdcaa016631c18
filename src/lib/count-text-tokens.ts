import type * as tokenizerModule from 'gpt-tokenizer/encoding/o200k_base';

/** Above this many UTF-16 units a text is sampled: counting all of it would hold the event loop for seconds (1 MB of CJK: 3 s measured). */
const exactLimit = 100_000;
const sampleLength = 1_000;

/**
 * A run without a word boundary is one "word" to the tokenizer, and merging a word is quadratic (40,000 times `a`: 1.6 s measured). Cutting runs here costs at most
 * one token per cut. 96 is a multiple of 3, because digits are grouped by three.
 */
const longRun = /\S{96}(?=\S)|\s{96}(?=\s)/gu;

/** Texts such as `<|endoftext|>` are what somebody wrote, not control tokens: without this the tokenizer throws. */
const noSpecialTokens = { disallowedSpecial: new Set<string>() };

type Tokenizer = typeof tokenizerModule;

let loading: Promise<Tokenizer> | undefined;

/** Loaded at the first count: the vocabulary takes ~185 ms and ~100 MB, which a start-up should not pay. */
function loadTokenizer(): Promise<Tokenizer> {
  loading ??= import('gpt-tokenizer/encoding/o200k_base');
  return loading;
}

/**
 * Tokens of a text in OpenAI's o200k_base vocabulary: exact for ordinary text, an estimate within about one percent where runs of more than 96 characters have no
 * word boundary or where the text is longer than 100,000 characters. Never throws for any string.
 */
export async function countTextTokens(text: string): Promise<number> {
  if (text === '') return 0;
  const tokenizer = await loadTokenizer();
  try {
    return text.length <= exactLimit ? countPieces(text, tokenizer) : countSamples(text, tokenizer);
  } finally {
    // The tokenizer's cache lives at module level and would hold on to pieces of users' texts.
    tokenizer.clearMergeCache();
  }
}

function countPieces(text: string, tokenizer: Tokenizer): number {
  let count = 0;
  let start = 0;
  for (const match of text.matchAll(longRun)) {
    const end = match.index + match[0].length;
    count += tokenizer.countTokens(text.slice(start, end), noSpecialTokens);
    start = end;
  }
  return count + tokenizer.countTokens(text.slice(start), noSpecialTokens);
}

/** Evenly spaced samples, scaled up to the whole. */
function countSamples(text: string, tokenizer: Tokenizer): number {
  const samples = exactLimit / sampleLength;
  const step = (text.length - sampleLength) / (samples - 1);
  let count = 0;
  for (let index = 0; index < samples; index++) {
    const start = Math.floor(index * step);
    count += countPieces(text.slice(start, start + sampleLength), tokenizer);
  }
  return Math.round((count * text.length) / exactLimit);
}
