/** Words of Gemini's answers as this gateway writes them at its Gemini front door: the body of `generateContent`, and each chunk of `streamGenerateContent`. */

export interface GeminiAnswer {
  candidates: [GeminiCandidate];
  /** Only in the last chunk of a stream. */
  usageMetadata?: GeminiUsage;
  modelVersion: string;
  responseId: string;
}

export interface GeminiCandidate {
  content: { parts: GeminiAnswerPart[]; role: 'model' };
  /** Only in the last chunk of a stream. STOP also where the model called functions. */
  finishReason?: GeminiFinishReason;
  finishMessage?: string;
  index: 0;
  groundingMetadata?: GeminiGrounding;
  avgLogprobs?: number;
  logprobsResult?: GeminiLogprobs;
}

type GeminiFinishReason = 'STOP' | 'MAX_TOKENS' | 'SAFETY' | 'OTHER';

export type GeminiAnswerPart =
  | { text: string; thought?: true; thoughtSignature?: string }
  | { functionCall: { id: string; name: string; args: { readonly [key: string]: unknown } }; thoughtSignature?: string };

/** `promptTokenCount` includes cached tokens, `candidatesTokenCount` excludes thoughts. */
export interface GeminiUsage {
  promptTokenCount: number;
  cachedContentTokenCount?: number;
  candidatesTokenCount: number;
  thoughtsTokenCount?: number;
  totalTokenCount: number;
}

/** Offsets are UTF-8 bytes in the whole visible text of the answer, the end exclusive. */
export interface GeminiGrounding {
  webSearchQueries?: string[];
  groundingChunks?: { web: { uri: string; title?: string } }[];
  groundingSupports?: {
    segment: { startIndex: number; endIndex: number; text: string };
    groundingChunkIndices: number[];
  }[];
}

export interface GeminiLogprobs {
  chosenCandidates: GeminiToken[];
  topCandidates: { candidates: GeminiToken[] }[];
}

export interface GeminiToken {
  token: string;
  logProbability: number;
}
