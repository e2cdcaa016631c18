import { isJsonObject, parseJson } from '../../lib/json.ts';
import type { GeminiAnswerPart, GeminiLogprobs, GeminiToken } from '../../protocol/gemini/answer.ts';
import type { FunctionCallItem, LogProb } from '../../protocol/responses/items.ts';
import { encodeThoughtSignature } from './thought-signature.ts';

type TextPart = Extract<GeminiAnswerPart, { text: string }>;

/** What a chunk holds of the answer. */
export interface TakenParts {
  readonly parts: GeminiAnswerPart[];
  readonly logprobs: GeminiLogprobs | null;
}

/**
 * Items of a response, in order → the parts of Gemini's one content. Sealed reasoning becomes the `thoughtSignature` of the part behind it, or of an empty text part at the
 * end, so that the place tells where it belongs. Where text stood in between, the next call carries it once more: Gemini itself signs the first call of a step, and
 * there clients keep it that lose the signatures of texts.
 */
export class AnswerParts {
  readonly #showsThoughts: boolean;
  #parts: GeminiAnswerPart[] = [];
  #chosen: GeminiToken[] = [];
  #alternatives: { candidates: GeminiToken[] }[] = [];
  #logprobSum = 0;
  #logprobCount = 0;
  #text = '';
  #lastKind: 'thought' | 'text' | 'call' | null = null;
  #lastItem: 'reasoning' | 'message' | 'other' | null = null;
  /** Put before the next text or thought, so that two of them do not run into each other. */
  #separator = '';
  #unplaced: string | null = null;
  #forCall: string | null = null;

  constructor(showsThoughts: boolean) {
    this.#showsThoughts = showsThoughts;
  }

  /** Everything the client has seen but thinking: what citations count in. */
  get visibleText(): string {
    return this.#text;
  }

  /** Where in `visibleText` the next text begins. */
  get nextStart(): number {
    return this.#text.length + this.#separator.length;
  }

  /** Mean of all logprobs so far; null when there were none. */
  get averageLogprob(): number | null {
    return this.#logprobCount === 0 ? null : this.#logprobSum / this.#logprobCount;
  }

  beginItem(kind: 'reasoning' | 'message' | 'other'): void {
    this.#separator = kind === 'message' && this.#lastItem === 'message' && this.#lastKind === 'text' ? '\n\n' : '';
    this.#lastItem = kind;
    if (kind === 'reasoning') this.beginThought();
  }

  /** A summary part begins. */
  beginThought(): void {
    this.#separator = this.#lastKind === 'thought' ? '\n\n' : '';
  }

  thought(delta: string): void {
    if (delta === '' || !this.#showsThoughts) return;
    // A thought behind a signed one would come back before its signature.
    this.#placeAlone();
    const text = this.#takeSeparator() + delta;
    const last = this.#parts.at(-1);
    if (last !== undefined && 'text' in last && last.thought === true) last.text += text;
    else this.#parts.push({ text, thought: true });
    this.#lastKind = 'thought';
  }

  text(delta: string, logprobs: readonly LogProb[]): void {
    for (const logprob of logprobs) this.#addLogprob(logprob);
    if (delta === '') return;
    const text = this.#takeSeparator() + delta;
    const last = this.#parts.at(-1);
    if (this.#unplaced === null && isPlainText(last)) last.text += text;
    else this.#parts.push({ text, ...this.#takeSignature() });
    this.#text += text;
    this.#lastKind = 'text';
  }

  /** `encrypted_content` of the reasoning item that has just ended. */
  seal(sealed: string): void {
    this.#placeAlone();
    this.#unplaced = encodeThoughtSignature(sealed);
    this.#forCall = this.#unplaced;
  }

  /** A call that was made. One that was cut is no call. */
  call(item: FunctionCallItem): void {
    if (item.status !== 'completed') return;
    const args = parseJson(item.arguments);
    const functionCall = { id: item.call_id, name: item.name, args: isJsonObject(args) ? args : {} };
    const signature = this.#unplaced ?? this.#forCall;
    this.#parts.push({ functionCall, ...(signature !== null && { thoughtSignature: signature }) });
    this.#unplaced = null;
    this.#forCall = null;
    this.#lastKind = 'call';
  }

  /** Nothing follows. A last chunk has a part in any case: a chat of Google's SDK throws its history away for one without. */
  close(): void {
    this.#placeAlone();
    if (this.#parts.length === 0) this.#parts.push({ text: '' });
  }

  /** The parts since the last time. */
  take(): TakenParts {
    const logprobs = this.#chosen.length === 0 ? null : { chosenCandidates: this.#chosen, topCandidates: this.#alternatives };
    const parts = this.#parts;
    this.#parts = [];
    this.#chosen = [];
    this.#alternatives = [];
    return { parts, logprobs };
  }

  #placeAlone(): void {
    if (this.#unplaced === null) return;
    this.#parts.push({ text: '', ...this.#takeSignature() });
    this.#lastKind = 'text';
  }

  #takeSignature(): { thoughtSignature?: string } {
    const signature = this.#unplaced;
    this.#unplaced = null;
    return signature === null ? {} : { thoughtSignature: signature };
  }

  #takeSeparator(): string {
    const separator = this.#separator;
    this.#separator = '';
    return separator;
  }

  #addLogprob({ token, logprob, top_logprobs }: LogProb): void {
    this.#chosen.push({ token, logProbability: logprob });
    this.#alternatives.push({ candidates: top_logprobs.map((top) => ({ token: top.token, logProbability: top.logprob })) });
    this.#logprobSum += logprob;
    this.#logprobCount += 1;
  }
}

function isPlainText(part: GeminiAnswerPart | undefined): part is TextPart {
  return part !== undefined && 'text' in part && part.thought !== true;
}
