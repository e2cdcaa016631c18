import type { JsonObject } from '../../../src/lib/json.ts';
import { toAnthropicNormalForm, withoutMarkers } from './anthropic-normal-form.ts';
import { toGeminiNormalForm } from './gemini-normal-form.ts';
import { toResponsesNormalForm, withoutOwnWishes } from './responses-normal-form.ts';

/** Dialects whose recorded requests are followed through the gateway. */
export type RecordedDialect = 'anthropic' | 'gemini' | 'responses';

/** A recorded body as its backend writes the same (docs/normal-form.md). */
export function toNormalForm(dialect: RecordedDialect, body: JsonObject): JsonObject {
  switch (dialect) {
    case 'anthropic':
      return toAnthropicNormalForm(body);
    case 'gemini':
      return toGeminiNormalForm(body);
    case 'responses':
      return toResponsesNormalForm(body);
  }
}

/** A sent body without what is the backend's own matter. */
export function toSentForm(dialect: RecordedDialect, body: JsonObject): JsonObject {
  switch (dialect) {
    case 'anthropic':
      return withoutMarkers(body);
    case 'gemini':
      return toGeminiNormalForm(body);
    case 'responses':
      return withoutOwnWishes(body);
  }
}
