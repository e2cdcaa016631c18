import type { TokenLogprob, UrlCitation } from '../../model/model-event.ts';
import type { LogProb, MessageItem, OutputTextPart, RefusalPart, UrlCitationAnnotation } from '../../protocol/responses/items.ts';
import { GrowingText } from './growing-text.ts';
import type { ItemEnding, ItemPlace, ItemWriter } from './item-writer.ts';

/** A part that is being written: at most one per message at a time. */
interface OpenPart {
  readonly type: 'output_text' | 'refusal';
  readonly index: number;
  readonly growing: GrowingText;
  readonly annotations: UrlCitationAnnotation[];
  readonly logprobs: LogProb[];
}

/** An assistant message: `content_part.added`, deltas, `…done`, `content_part.done` for each part (protocol.md §1.7). */
export class MessageWriter implements ItemWriter {
  readonly kind = 'message';
  readonly #place: ItemPlace;
  readonly #closed: (OutputTextPart | RefusalPart)[] = [];
  #open: OpenPart | undefined;

  constructor(place: ItemPlace) {
    this.#place = place;
    place.emit({ type: 'response.output_item.added', output_index: place.outputIndex, item: this.#item('in_progress', []) });
  }

  text(delta: string, logprobs?: readonly TokenLogprob[]): void {
    const part = this.#part('output_text');
    const sent = logprobs?.map(toLogProb) ?? [];
    part.logprobs.push(...sent);
    const ready = part.growing.take(delta);
    if (ready !== '' || sent.length > 0) this.#textDelta(part, ready, sent);
  }

  refusal(delta: string): void {
    const part = this.#part('refusal');
    const ready = part.growing.take(delta);
    if (ready !== '') this.#refusalDelta(part, ready);
  }

  /** A source of the text. Needs an open text part. */
  annotate(citation: UrlCitation): void {
    const part = this.#part('output_text');
    const annotation: UrlCitationAnnotation = {
      type: 'url_citation',
      url: citation.url,
      title: citation.title,
      start_index: citation.startIndex,
      end_index: citation.endIndex,
    };
    const annotation_index = part.annotations.push(annotation) - 1;
    this.#place.emit({ type: 'response.output_text.annotation.added', ...this.#at(part), annotation_index, annotation });
  }

  close(ending: ItemEnding): MessageItem {
    // A message without any part would not be a message to most clients.
    if (this.#closed.length === 0 && this.#open === undefined) this.#part('output_text');
    this.#closePart();
    const item = this.#item(ending, this.#closed);
    this.#place.emit({ type: 'response.output_item.done', output_index: this.#place.outputIndex, item });
    return item;
  }

  snapshot(): MessageItem {
    return this.#item('in_progress', this.#open === undefined ? [...this.#closed] : [...this.#closed, toPart(this.#open)]);
  }

  keepAlive(): boolean {
    const part = this.#open;
    if (part === undefined) return false;
    if (part.type === 'refusal') this.#refusalDelta(part, '');
    else this.#textDelta(part, '', []);
    return true;
  }

  #part(type: OpenPart['type']): OpenPart {
    if (this.#open?.type === type) return this.#open;
    this.#closePart();
    const part: OpenPart = { type, index: this.#closed.length, growing: new GrowingText(), annotations: [], logprobs: [] };
    this.#open = part;
    this.#place.emit({ type: 'response.content_part.added', ...this.#at(part), part: toPart(part) });
    return part;
  }

  #closePart(): void {
    const part = this.#open;
    if (part === undefined) return;
    this.#open = undefined;
    const rest = part.growing.rest();
    if (part.type === 'refusal') {
      if (rest !== '') this.#refusalDelta(part, rest);
      this.#place.emit({ type: 'response.refusal.done', ...this.#at(part), refusal: part.growing.text });
    } else {
      if (rest !== '') this.#textDelta(part, rest, []);
      this.#place.emit({
        type: 'response.output_text.done',
        ...this.#at(part),
        text: part.growing.text,
        logprobs: part.logprobs,
      });
    }
    const done = toPart(part);
    this.#closed.push(done);
    this.#place.emit({ type: 'response.content_part.done', ...this.#at(part), part: done });
  }

  #textDelta(part: OpenPart, delta: string, logprobs: LogProb[]): void {
    // Written out, not spread: this is the event that most of every stream consists of.
    this.#place.emit({
      type: 'response.output_text.delta',
      item_id: this.#place.id,
      output_index: this.#place.outputIndex,
      content_index: part.index,
      delta,
      logprobs,
    });
  }

  #refusalDelta(part: OpenPart, delta: string): void {
    this.#place.emit({ type: 'response.refusal.delta', ...this.#at(part), delta });
  }

  #at(part: OpenPart): { item_id: string; output_index: number; content_index: number } {
    return { item_id: this.#place.id, output_index: this.#place.outputIndex, content_index: part.index };
  }

  #item(status: MessageItem['status'], content: MessageItem['content']): MessageItem {
    return { id: this.#place.id, type: 'message', status, role: 'assistant', content };
  }
}

function toPart(part: OpenPart): OutputTextPart | RefusalPart {
  if (part.type === 'refusal') return { type: 'refusal', refusal: part.growing.text };
  return { type: 'output_text', text: part.growing.text, annotations: [...part.annotations], logprobs: [...part.logprobs] };
}

function toLogProb(logprob: TokenLogprob): LogProb {
  return {
    token: logprob.token,
    logprob: logprob.logprob,
    bytes: [...logprob.bytes],
    top_logprobs: logprob.topLogprobs.map((top) => ({ token: top.token, logprob: top.logprob, bytes: [...top.bytes] })),
  };
}
