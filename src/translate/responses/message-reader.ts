import { isJsonObject, type JsonObject } from '../../lib/json.ts';
import type { TokenLogprob, UrlCitation } from '../../model/model-event.ts';
import { readCitations, readLogprobs } from '../chat/chat-annotations.ts';
import type { AnswerFloor } from './answer-floor.ts';
import type { ItemPlace } from './item-place.ts';
import { PartTrack, type MissingText } from './part-track.ts';
import { indexOf, objectsOf, textsOf } from './read-event.ts';

export interface MessageOptions {
  readonly floor: AnswerFloor;
  readonly wantsLogprobs: boolean;
}

/** One message of an answer: text, refusal, sources. */
export class MessageReader {
  readonly kind = 'message';
  readonly place: ItemPlace;
  isDone = false;
  readonly #options: MessageOptions;
  readonly #text = new PartTrack();
  readonly #refusal = new PartTrack();
  /** Sources that were told so far, and those of the open part. */
  #sources = 0;
  #partSources = 0;
  /** Sources that came before any text. */
  readonly #early: UrlCitation[] = [];
  /** Where the open part begins in the text as our builder writes it (it joins text parts, and a refusal ends them), and where each part began. */
  #base = 0;
  readonly #bases = new Map<number | undefined, number>();
  #length = 0;

  constructor(place: ItemPlace, options: MessageOptions) {
    this.place = place;
    this.#options = options;
  }

  textDelta(event: JsonObject): void {
    const { delta } = event;
    if (typeof delta !== 'string' || delta === '') return;
    const index = indexOf(event, 'content_index');
    this.#showText({ text: delta, beginsPart: this.#text.add(index, delta) }, index, this.#logprobsOf(event));
  }

  textDone(event: JsonObject): void {
    if (typeof event['text'] !== 'string') return;
    this.#completeText(indexOf(event, 'content_index'), event['text'], event);
  }

  refusalDelta(event: JsonObject): void {
    const { delta } = event;
    if (typeof delta !== 'string' || delta === '') return;
    this.#refusal.add(indexOf(event, 'content_index'), delta);
    this.#showRefusal(delta);
  }

  refusalDone(event: JsonObject): void {
    if (typeof event['refusal'] !== 'string') return;
    this.#completeRefusal(indexOf(event, 'content_index'), event['refusal'], 'text');
  }

  annotation(event: JsonObject): void {
    this.#sources += 1;
    this.#partSources += 1;
    this.#tell([event['annotation']], this.#bases.get(indexOf(event, 'content_index')) ?? this.#base);
  }

  partDone(event: JsonObject): void {
    if (isJsonObject(event['part'])) this.#completePart(toKnownPart(event['part']), indexOf(event, 'content_index'));
  }

  /** The whole item, from `output_item.done` or from a response object. */
  complete(item: JsonObject): void {
    this.isDone = true;
    const parts = partsOf(item);
    if (this.#text.shown === '' && this.#refusal.shown === '')
      parts.forEach((part, index) => {
        this.#completePart(part, index);
      });
    else this.#completeRest(parts);
    this.#tellRest(parts);
    // Of a message without any text.
    if (this.#early.length > 0) this.#speak();
  }

  #completePart(part: JsonObject, index: number | undefined): void {
    const { type, text, refusal } = part;
    // A part that changes its type at its end is still the one that was shown.
    if (type === 'refusal' && typeof refusal === 'string' && !this.#text.isOpen) this.#completeRefusal(index, refusal, 'part');
    if (type !== 'output_text' && type !== 'refusal')
      this.#lose('parts of a message that are neither text nor refusal are not shown');
    if (type !== 'output_text' || typeof text !== 'string' || this.#refusal.isOpen) return;
    this.#completeText(index, text, part, 'part');
    const fresh = objectsOf(part['annotations']).slice(this.#partSources);
    this.#sources += fresh.length;
    this.#partSources = 0;
    this.#tell(fresh, this.#base);
  }

  /** What is missing at the end of a message that was shown in part. */
  #completeRest(parts: readonly JsonObject[]): void {
    const texts = parts.filter(({ type }) => type === 'output_text');
    if (this.#canShow(this.#text.shown))
      for (const missing of this.#text.completeAll(textsOf(texts, 'text'))) this.#showText(missing, undefined, []);
    if (this.#canShow(this.#refusal.shown))
      for (const { text } of this.#refusal.completeAll(textsOf(parts, 'refusal'))) this.#showRefusal(text);
  }

  #completeText(index: number | undefined, text: string, logprobs: JsonObject, level: 'text' | 'part' = 'text'): void {
    if (!this.#canShow(this.#text.shown)) return;
    const missing = this.#text.complete(index, text, level);
    if (missing === undefined) return;
    // Log probabilities belong to the whole part, so they can be told only where nothing of it was shown before.
    this.#showText(missing, index, missing.text === text ? this.#logprobsOf(logprobs) : []);
  }

  #completeRefusal(index: number | undefined, text: string, level: 'text' | 'part'): void {
    const missing: MissingText | undefined = this.#canShow(this.#refusal.shown)
      ? this.#refusal.complete(index, text, level)
      : undefined;
    if (missing !== undefined) this.#showRefusal(missing.text);
  }

  /** A text that others have spoken after cannot grow any more. */
  #canShow(shown: string): boolean {
    return shown === '' || this.#options.floor.isHeldBy(this);
  }

  #showText({ text, beginsPart }: MissingText, index: number | undefined, logprobs: readonly TokenLogprob[]): void {
    const { floor } = this.#options;
    // What goes on after others have spoken becomes a message of its own.
    if (!floor.isHeldBy(this)) this.#length = 0;
    this.#speak();
    if (beginsPart || this.#length === 0) {
      this.#base = this.#length;
      this.#bases.set(index, this.#base);
    }
    this.#length += text.length;
    floor.emit(logprobs.length === 0 ? { type: 'text-delta', delta: text } : { type: 'text-delta', delta: text, logprobs });
  }

  #showRefusal(delta: string): void {
    this.#speak();
    this.#length = 0;
    this.#options.floor.emit({ type: 'refusal-delta', delta });
  }

  #speak(): void {
    const { floor } = this.#options;
    floor.takeOver(this);
    if (this.#early.length > 0) for (const annotation of this.#early.splice(0)) floor.emit({ type: 'annotation', annotation });
  }

  #tellRest(parts: readonly JsonObject[]): void {
    let base = 0;
    let skip = this.#sources;
    for (const part of parts) {
      const all = objectsOf(part['annotations']);
      const fresh = all.slice(skip);
      skip = Math.max(0, skip - all.length);
      this.#sources += fresh.length;
      this.#tell(fresh, base);
      base = part['type'] === 'refusal' ? 0 : base + (typeof part['text'] === 'string' ? part['text'].length : 0);
    }
  }

  #tell(annotations: readonly unknown[], base: number): void {
    for (const annotation of annotations) {
      const type = isJsonObject(annotation) ? annotation['type'] : undefined;
      if (type !== 'url_citation') this.#lose('the answer also names sources that are no web pages; they are not shown');
      else for (const citation of readCitations([annotation])) this.#tellCitation(citation, base);
    }
  }

  #tellCitation(citation: UrlCitation, base: number): void {
    const { floor } = this.#options;
    if (this.#text.shown === '' && this.#refusal.shown === '') {
      this.#early.push(citation);
      return;
    }
    if (!floor.isHeldBy(this)) {
      this.#lose('a source came after its text had ended; it is not shown');
      return;
    }
    const { startIndex, endIndex } = citation;
    floor.emit({ type: 'annotation', annotation: { ...citation, startIndex: startIndex + base, endIndex: endIndex + base } });
  }

  #lose(reason: string): void {
    this.#options.floor.lose({ path: 'output', action: 'dropped', reason });
  }

  /** Some servers send them unasked. */
  #logprobsOf({ logprobs }: JsonObject): readonly TokenLogprob[] {
    if (!this.#options.wantsLogprobs || !Array.isArray(logprobs) || logprobs.length === 0) return [];
    return readLogprobs({ content: logprobs });
  }
}

/** The parts of a message; some servers write a text instead of the list. */
function partsOf({ content }: JsonObject): readonly JsonObject[] {
  return typeof content === 'string' ? [{ type: 'output_text', text: content }] : objectsOf(content).map(toKnownPart);
}

/** `text` is a name of Open Responses for the same. */
function toKnownPart(part: JsonObject): JsonObject {
  return part['type'] === 'text' ? { ...part, type: 'output_text' } : part;
}
