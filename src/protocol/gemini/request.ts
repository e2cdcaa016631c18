/** Words of Gemini's `generateContent` (v1beta) as this gateway sends them. What comes back is read loosely, so it has no types here. */

export interface GeminiRequest {
  contents: GeminiContent[];
  systemInstruction?: { parts: { text: string }[] };
  tools?: GeminiTool[];
  toolConfig?: GeminiToolConfig;
  generationConfig?: GeminiGenerationConfig;
  serviceTier?: string;
}

export interface GeminiContent {
  role: 'user' | 'model';
  parts: GeminiPart[];
}

export type GeminiPart = GeminiTextPart | GeminiMediaPart | GeminiCallPart | GeminiResponsePart | GeminiOpaquePart;

/** A signature is a sibling of what it signs. */
export interface GeminiTextPart {
  text: string;
  thoughtSignature?: string;
}

export type GeminiMediaPart =
  { inlineData: { mimeType: string; data: string } } | { fileData: { mimeType?: string; fileUri: string } };

export interface GeminiCallPart {
  functionCall: { id?: string; name: string; args: { readonly [key: string]: unknown } };
  thoughtSignature?: string;
}

export interface GeminiResponsePart {
  functionResponse: {
    id?: string;
    name: string;
    response: { readonly [key: string]: unknown };
    parts?: GeminiMediaPart[];
  };
}

/** A part of an earlier answer that goes back exactly as it came (`toolCall`, `toolResponse` …). */
interface GeminiOpaquePart {
  readonly [key: string]: unknown;
}

export interface GeminiTool {
  functionDeclarations?: GeminiFunctionDeclaration[];
  googleSearch?: Record<string, never>;
}

export interface GeminiFunctionDeclaration {
  name: string;
  description: string;
  /** JSON Schema, reduced to what Gemini knows; left out for a function without arguments. */
  parametersJsonSchema?: { readonly [key: string]: unknown };
}

export interface GeminiToolConfig {
  functionCallingConfig?: { mode: 'AUTO' | 'ANY' | 'NONE' | 'VALIDATED'; allowedFunctionNames?: string[] };
  includeServerSideToolInvocations?: true;
}

export interface GeminiGenerationConfig {
  maxOutputTokens?: number;
  temperature?: number;
  topP?: number;
  topK?: number;
  seed?: number;
  stopSequences?: string[];
  presencePenalty?: number;
  frequencyPenalty?: number;
  responseMimeType?: 'application/json';
  responseJsonSchema?: { readonly [key: string]: unknown };
  responseLogprobs?: true;
  logprobs?: number;
  thinkingConfig?: GeminiThinkingConfig;
  mediaResolution?: 'MEDIA_RESOLUTION_LOW';
}

/** A level and a budget together are refused. */
export interface GeminiThinkingConfig {
  includeThoughts?: true;
  thinkingLevel?: 'MINIMAL' | 'LOW' | 'MEDIUM' | 'HIGH';
  thinkingBudget?: number;
}
