import { isJsonObject } from '../../lib/json.ts';

/** Whether the body of `generateContent` is an answer, whatever the model came to in it: Gemini's clients look for `finishReason` and `promptFeedback` there, and gemini-cli asks again by itself. */
export function isGeminiAnswer(body: unknown): boolean {
  if (!isJsonObject(body) || body['error'] !== undefined) return false;
  return Array.isArray(body['candidates']) || isJsonObject(body['promptFeedback']);
}
