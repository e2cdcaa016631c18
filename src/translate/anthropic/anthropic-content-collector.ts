import { isJsonObject, parseJson, type JsonObject } from '../../lib/json.ts';

/** Puts the blocks of an answer together exactly as the server made them, so that a paused one can be sent back and goes on. */
export class AnthropicContentCollector {
  readonly #blocks: JsonObject[] = [];
  #open: Record<string, unknown> | undefined;
  #input = '';

  /** Whole blocks so far; Anthropic takes no blank text back. */
  get blocks(): readonly JsonObject[] {
    return this.#blocks.filter(({ type, text }) => type !== 'text' || (typeof text === 'string' && text.trim() !== ''));
  }

  start(block: JsonObject): void {
    this.stop();
    this.#open = { ...block };
    this.#input = '';
  }

  delta(delta: JsonObject): void {
    const block = this.#open;
    if (block === undefined) return;
    for (const name of ['text', 'thinking', 'signature']) {
      const piece = delta[name];
      if (typeof piece === 'string') block[name] = `${textOf(block[name])}${piece}`;
    }
    if (typeof delta['partial_json'] === 'string') this.#input += delta['partial_json'];
    const { citation } = delta;
    if (isJsonObject(citation)) {
      const citations: readonly unknown[] = Array.isArray(block['citations']) ? block['citations'] : [];
      block['citations'] = [...citations, citation];
    }
  }

  stop(): void {
    const block = this.#open;
    if (block === undefined) return;
    this.#open = undefined;
    const input = this.#input === '' ? undefined : parseJson(this.#input);
    this.#blocks.push(input === undefined ? block : { ...block, input });
  }
}

function textOf(value: unknown): string {
  return typeof value === 'string' ? value : '';
}
