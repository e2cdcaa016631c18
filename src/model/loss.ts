import type { ErrorCode } from './errors.ts';

/** What happened to something that a target cannot express. */
export type LossAction =
  /** It is gone. */
  | 'dropped'
  /** It is done in another way than asked (for example in the prompt). */
  | 'emulated'
  /** A near value was taken (a rounded level, a simpler schema). */
  | 'approximated'
  /** The gateway made the value up itself (for example counted tokens). */
  | 'estimated';

/**
 * One thing that did not survive translation. Translators return losses; only `engine/settle-losses` decides whether one is refused
 * (strict mode), reported (response header) or logged.
 */
export interface Loss {
  /** Where, as OpenAI writes `param`: `tools[2].type`, `input[3].content[0]`, `reasoning.effort`. */
  readonly path: string;
  readonly action: LossAction;
  /** Why, for a person: one sentence without secrets and without the client's content. */
  readonly reason: string;
  /** Error code in strict mode; default `unsupported_parameter`. */
  readonly code?: ErrorCode;
}

/** What a pure translator returns. */
export interface Translated<T> {
  readonly value: T;
  readonly losses: readonly Loss[];
}
