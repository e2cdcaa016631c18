import { isJsonObject } from '../../lib/json.ts';
import type { TokenLogprob } from '../../model/model-event.ts';

/** `logprobsResult` → one entry per chosen token with its alternatives; undefined when there are none. */
export function toTokenLogprobs(result: unknown): readonly TokenLogprob[] | undefined {
  if (!isJsonObject(result)) return undefined;
  const alternatives = readList(result['topCandidates']);
  const tokens = readList(result['chosenCandidates']).flatMap((chosen, at): TokenLogprob[] => {
    const token = toToken(chosen);
    if (token === undefined) return [];
    const top = alternatives[at];
    const others = isJsonObject(top) ? readList(top['candidates']).map(toToken) : [];
    return [{ ...token, topLogprobs: others.filter((other) => other !== undefined) }];
  });
  return tokens.length > 0 ? tokens : undefined;
}

function toToken(candidate: unknown): { token: string; logprob: number; bytes: number[] } | undefined {
  if (!isJsonObject(candidate)) return undefined;
  const { token, logProbability } = candidate;
  if (typeof token !== 'string') return undefined;
  // A probability of 1 is the logarithm 0, and Gemini leaves zeros out.
  return { token, logprob: typeof logProbability === 'number' ? logProbability : 0, bytes: [...new TextEncoder().encode(token)] };
}

function readList(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? (value as readonly unknown[]) : [];
}
