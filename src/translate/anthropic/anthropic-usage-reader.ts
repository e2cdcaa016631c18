import { isJsonObject } from '../../lib/json.ts';
import type { TokenUsage } from '../../model/model-event.ts';

type CountName = 'input' | 'cacheWrite' | 'cacheRead' | 'output' | 'thinking';
type Counts = { [name in CountName]?: number };

/**
 * Puts the counts of one answer together. They are cumulative; the last event may restate them, and some servers restate 0 for what they do not know any more. Anthropic's input does not
 * include cached tokens, ours does.
 */
export class AnthropicUsageReader {
  #before: Counts = {};
  #counts: Counts = {};

  /** The usage so far; undefined when this said nothing new. */
  read(usage: unknown): TokenUsage | undefined {
    if (!isJsonObject(usage)) return undefined;
    const details = isJsonObject(usage['output_tokens_details']) ? usage['output_tokens_details'] : {};
    const found = [
      this.#note('input', usage['input_tokens']),
      this.#note('cacheWrite', usage['cache_creation_input_tokens']),
      this.#note('cacheRead', usage['cache_read_input_tokens']),
      this.#note('output', usage['output_tokens']),
      this.#note('thinking', details['thinking_tokens']),
    ];
    return found.includes(true) ? this.#toUsage() : undefined;
  }

  /** The same turn goes on in another call, whose counts are added. */
  continue(): void {
    const sum: Counts = {};
    for (const name of names) {
      const count = this.#sum(name);
      if (count !== undefined) sum[name] = count;
    }
    this.#before = sum;
    this.#counts = {};
  }

  #note(name: CountName, value: unknown): boolean {
    if (typeof value !== 'number' || !Number.isInteger(value) || value < 0) return false;
    if (value === 0 && this.#counts[name] !== undefined) return false;
    this.#counts[name] = value;
    return true;
  }

  #sum(name: CountName): number | undefined {
    const [before, now] = [this.#before[name], this.#counts[name]];
    return before === undefined ? now : before + (now ?? 0);
  }

  #toUsage(): TokenUsage {
    const cached = this.#sum('cacheRead');
    const written = this.#sum('cacheWrite');
    const output = this.#sum('output');
    const thinking = this.#sum('thinking');
    const fresh = this.#sum('input');
    const input = fresh === undefined ? undefined : fresh + (cached ?? 0) + (written ?? 0);
    return {
      ...(input !== undefined && { inputTokens: input }),
      ...(cached !== undefined && { cachedTokens: cached }),
      ...(written !== undefined && { cacheWriteTokens: written }),
      ...(output !== undefined && { outputTokens: output }),
      ...(thinking !== undefined && { reasoningTokens: Math.min(thinking, output ?? thinking) }),
      ...(input !== undefined && output !== undefined && { totalTokens: input + output }),
    };
  }
}

const names: readonly CountName[] = ['input', 'cacheWrite', 'cacheRead', 'output', 'thinking'];
