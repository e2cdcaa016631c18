import { sha256 } from '../lib/sha256.ts';

/** OpenAI refuses `safety_identifier` and `prompt_cache_key` that are longer. */
const longest = 64;

/** A name that only has to stay the same for the same user or prefix, short enough for OpenAI. Claude Code's `metadata.user_id` has about 190 characters: its digest stands for it. */
export function toShortIdentifier(identifier: string): string {
  return identifier.length <= longest ? identifier : sha256(identifier);
}
