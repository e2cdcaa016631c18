import type { JsonObject } from '../../lib/json.ts';
import type { ModelEvent, TokenLogprob } from '../../model/model-event.ts';
import type { Citation, Citations } from './citations.ts';
import { encodeThoughtState, type CallEntry, type ThoughtEntry } from './thought-state.ts';

export interface AnswerWriterOptions {
  readonly model: string;
  readonly citations: Citations;
}

/**
 * What the model did, as events, with the state that must come back put where it belongs: right before the call it signs, or behind the text it signs (before the next call,
 * the next message or the end; never inside a message). Annotations come at the end of their message. A web search that Gemini shows as a part comes there; one that is only
 * known from the grounding comes behind the text, because Gemini sends that last.
 */
export class AnswerWriter {
  readonly #options: AnswerWriterOptions;
  readonly #partStarts: number[] = [];
  #out: ModelEvent[] = [];
  /** All visible text; messages are stretches of it. */
  #text = '';
  #messageStart = 0;
  #isMessageOpen = false;
  #isOver = false;
  #hasCalls = false;
  #pending: ThoughtEntry[] = [];
  #openSearches = 0;
  readonly #annotated = new Set<string>();
  readonly #cited = new Set<string>();

  constructor(options: AnswerWriterOptions) {
    this.#options = options;
  }

  /** Whether the client will see anything. */
  get hasOutput(): boolean {
    return this.#text !== '' || this.#hasCalls;
  }

  /** The events since the last time. */
  take(): readonly ModelEvent[] {
    const out = this.#out;
    this.#out = [];
    return out;
  }

  emit(event: ModelEvent): void {
    this.#out.push(event);
  }

  /** A part of another kind than the last one begins. */
  beginPart(): void {
    this.#partStarts.push(this.#text.length);
  }

  text(delta: string, signature: string | undefined, logprobs: readonly TokenLogprob[] | undefined): void {
    if (delta !== '') {
      if (!this.#isMessageOpen) this.#openMessage();
      this.#out.push(logprobs === undefined ? { type: 'text-delta', delta } : { type: 'text-delta', delta, logprobs });
    }
    if (signature !== undefined)
      this.#pending.push({ on: 'text', start: this.#text.length - this.#messageStart, length: delta.length, signature });
    this.#text += delta;
  }

  thought(delta: string): void {
    if (delta === '') return;
    this.#closeMessage();
    this.#out.push({ type: 'reasoning-delta', delta });
  }

  /** A part that only Gemini understands and wants back. */
  keepPart(part: JsonObject): void {
    this.#pending.push({ on: 'part', start: this.#text.length - this.#messageStart, part });
  }

  search(queries: readonly string[]): void {
    this.#closeMessage();
    this.#openSearches += 1;
    this.#out.push({ type: 'web-search', queries, sources: [] });
  }

  /** `entries`: what must come back with this call and those made beside it. */
  startCall(callId: string, name: string, entries: readonly CallEntry[]): void {
    this.#closeMessage();
    this.#pending.push(...entries);
    this.#flushState();
    this.#hasCalls = true;
    this.#messageStart = this.#text.length;
    this.#out.push({ type: 'call-start', callId, name });
  }

  /** The model says no more: what came late is put behind the text. */
  close(): void {
    this.#isOver = true;
    this.#closeMessage();
    this.#reportLateCitations();
    this.#flushState();
    this.#reportSearch();
  }

  #openMessage(): void {
    this.#flushState();
    this.#messageStart = this.#text.length;
    this.#isMessageOpen = true;
  }

  #closeMessage(): void {
    if (!this.#isMessageOpen) return;
    this.#annotate();
    this.#isMessageOpen = false;
    // State that waits refers to this message, so its beginning stays known until that is out.
    if (this.#pending.length === 0) this.#messageStart = this.#text.length;
  }

  #flushState(): void {
    if (this.#pending.length === 0) return;
    const state = encodeThoughtState(this.#options.model, {
      textLength: this.#text.length - this.#messageStart,
      entries: this.#pending,
    });
    this.#out.push({ type: 'reasoning-state', state });
    this.#pending = [];
    this.#messageStart = this.#text.length;
  }

  #annotate(): void {
    for (const citation of this.#newCitations()) {
      const { url, title, start, end } = citation;
      if (start < this.#messageStart) continue;
      this.#annotated.add(toKey(citation));
      this.#cited.add(url);
      const annotation = { url, title, startIndex: start - this.#messageStart, endIndex: end - this.#messageStart };
      this.#out.push({ type: 'annotation', annotation });
    }
  }

  #newCitations(): readonly Citation[] {
    const answer = { text: this.#text, partStarts: this.#partStarts };
    return this.#options.citations.resolve(answer, this.#isOver).filter((citation) => !this.#annotated.has(toKey(citation)));
  }

  #reportLateCitations(): void {
    if (this.#newCitations().length === 0) return;
    const reason = 'sources of an earlier message came after that message had ended';
    this.#out.push({ type: 'loss', loss: { path: 'output', action: 'dropped', reason } });
  }

  #reportSearch(): void {
    const { queries, sources } = this.#options.citations;
    const urls = [...new Set(sources.map(({ url }) => url))];
    if (this.#openSearches === 0) {
      if (queries.length > 0 || urls.length > 0) this.#out.push({ type: 'web-search', queries, sources: urls });
    } else if (urls.some((url) => !this.#cited.has(url))) {
      const reason = 'sources of the web search that no text cites came after the search had been reported';
      this.#out.push({ type: 'loss', loss: { path: 'output', action: 'dropped', reason } });
    }
  }
}

function toKey({ start, end, url }: Citation): string {
  return `${start} ${end} ${url}`;
}
