import type { JsonObject } from '../../lib/json.ts';
import type { ModelEvent } from '../../model/model-event.ts';

/** Pages the answer rests on. A provider says which, but not where in the text: each is noted at the end of what was written so far, and once in each message. */
export class AiSdkSources {
  /** UTF-16 units of the message that is being written. */
  #length = 0;
  #seen = new Set<string>();
  #waiting: { readonly url: string; readonly title: string }[] = [];

  /** Whether sources still wait for a text to stand in. */
  get hasUnshown(): boolean {
    return this.#waiting.length > 0;
  }

  /** Sources that come before the text wait for it. */
  add({ url, title }: JsonObject): readonly ModelEvent[] {
    if (typeof url !== 'string' || url === '' || this.#seen.has(url)) return [];
    this.#seen.add(url);
    this.#waiting.push({ url, title: typeof title === 'string' && title !== '' ? title : url });
    return this.#length > 0 ? this.#show() : [];
  }

  /** The message has grown by so many units. */
  afterText(length: number): readonly ModelEvent[] {
    this.#length += length;
    return this.#waiting.length === 0 ? [] : this.#show();
  }

  /** The next text is a new message. */
  endMessage(): void {
    if (this.#length === 0) return;
    this.#length = 0;
    this.#seen = new Set();
  }

  #show(): readonly ModelEvent[] {
    const shown = this.#waiting;
    this.#waiting = [];
    return shown.map((source) => ({
      type: 'annotation',
      annotation: { ...source, startIndex: this.#length, endIndex: this.#length },
    }));
  }
}
