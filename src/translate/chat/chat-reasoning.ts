import { isJsonObject, type JsonObject, type JsonValue } from '../../lib/json.ts';
import type { ReasoningState } from '../../model/reasoning-state.ts';
import { isParsedJson, mergeReasoningDetails, toReasoningState } from './chat-reasoning-state.ts';
import type { ReasoningReplay } from './reasoning-replay.ts';

/** What one delta adds to the reasoning: text, and whether a new block of it begins. */
export interface ReasoningDelta {
  readonly text: string;
  readonly beginsBlock: boolean;
}

const nothing: ReasoningDelta = { text: '', beginsBlock: false };

/** Reads reasoning out of deltas in every dialect and collects what the server wants back, until `takeState` hands it over. */
export class ChatReasoning {
  readonly #model: string;
  readonly #replay: ReasoningReplay;
  #text = '';
  #details: JsonValue[] = [];
  #message: JsonValue | undefined;
  #calls: { [callId: string]: JsonValue } | undefined;
  /** `index` of the block the last text belonged to. */
  #block: unknown;

  /** `model` is the upstream's id that states are bound to. */
  constructor(model: string, replay: ReasoningReplay) {
    this.#model = model;
    this.#replay = replay;
  }

  /** The reasoning fields of a delta. Details win over plain text: servers that send both say the same twice. */
  read(delta: JsonObject): ReasoningDelta {
    const extra = readSignature(delta['extra_content']);
    if (extra !== undefined) this.#message = extra;
    const details = delta['reasoning_details'];
    const fromDetails = Array.isArray(details) && details.length > 0 ? this.#readDetails(details) : nothing;
    if (fromDetails.text !== '') return fromDetails;
    const text = nonEmpty(delta['reasoning_content']) ?? nonEmpty(delta['reasoning']);
    return text === undefined ? fromDetails : this.addText(text);
  }

  /** Reasoning that came in another way: Mistral's thinking parts, think tags. */
  addText(text: string): ReasoningDelta {
    if (this.#replay.when !== 'never') this.#text += text;
    return { text, beginsBlock: false };
  }

  /** `extra_content` of a call. */
  addCallExtra(callId: string, extra: unknown): void {
    const signature = readSignature(extra);
    if (signature === undefined) return;
    this.#calls ??= {};
    this.#calls[callId] = signature;
  }

  /** What has come since the last time; undefined when there is nothing the server wants back. */
  takeState(): ReasoningState | undefined {
    const hasDetails = this.#details.length > 0;
    if (this.#text === '' && !hasDetails && this.#message === undefined && this.#calls === undefined) return undefined;
    const state = toReasoningState(this.#model, {
      ...(this.#text !== '' && { text: this.#text }),
      ...(hasDetails && { details: mergeReasoningDetails(this.#details) }),
      ...(this.#message !== undefined && { message: this.#message }),
      ...(this.#calls !== undefined && { calls: this.#calls }),
    });
    this.#text = '';
    this.#details = [];
    this.#message = undefined;
    this.#calls = undefined;
    return state;
  }

  #readDetails(details: readonly unknown[]): ReasoningDelta {
    let text = '';
    let beginsBlock = false;
    for (const detail of details) {
      if (this.#replay.as === 'details' && isParsedJson(detail)) this.#details.push(detail);
      const said = textOf(detail);
      if (said === undefined) continue;
      const isNewBlock = this.#entersBlock(detail);
      // Two blocks in one delta: the break could not be shown between them.
      if (text === '') beginsBlock = isNewBlock;
      text += isNewBlock && text !== '' ? `\n\n${said}` : said;
    }
    // Where details go back, they hold the text.
    if (this.#replay.as !== 'details' && this.#replay.when !== 'never') this.#text += text;
    return text === '' ? nothing : { text, beginsBlock };
  }

  #entersBlock(detail: unknown): boolean {
    const block = isJsonObject(detail) ? detail['index'] : undefined;
    const isNew = this.#block !== undefined && block !== undefined && block !== this.#block;
    this.#block = block;
    return isNew;
  }
}

/** Gemini's compatible endpoint also marks thoughts here; only a signature has to come back. */
function readSignature(extra: unknown): JsonValue | undefined {
  if (!isJsonObject(extra) || !isJsonObject(extra['google']) || !isParsedJson(extra)) return undefined;
  return typeof extra['google']['thought_signature'] === 'string' ? extra : undefined;
}

/** Encrypted blocks say nothing. */
function textOf(detail: unknown): string | undefined {
  return isJsonObject(detail) ? (nonEmpty(detail['text']) ?? nonEmpty(detail['summary'])) : undefined;
}

function nonEmpty(value: unknown): string | undefined {
  return typeof value === 'string' && value !== '' ? value : undefined;
}
