import type { JsonValue } from '../lib/json.ts';

/**
 * What a model server wants back verbatim with the next turn: thought signatures, signed thinking, reasoning text. Opaque to the engine, which seals it into
 * `encrypted_content` or keeps it in the store. A translator uses it only when `format` and `model` are its own.
 */
export interface ReasoningState {
  /** Protocol that made `data`: `gemini`, `chat`, `anthropic`. */
  readonly format: string;
  /** Upstream model id that made it: signatures are bound to the model. */
  readonly model: string;
  readonly data: JsonValue;
}
