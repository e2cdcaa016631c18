import type { AiSdkCallOptions } from './call-options.ts';

/** A model of a Vercel AI SDK provider (LanguageModelV3, @ai-sdk/provider 3.0), as far as it is used. What it answers is read loosely and has no type. */
export interface AiSdkModel {
  readonly specificationVersion: 'v3';
  /** For example `openai.responses`, `google.generative-ai`. */
  readonly provider: string;
  /** By media type: which URLs the model's server fetches by itself. The patterns are matched against lower case. */
  readonly supportedUrls?: unknown;
  doStream(options: AiSdkCallOptions): PromiseLike<unknown>;
  doGenerate(options: AiSdkCallOptions): PromiseLike<unknown>;
}
