interface TrackedPart {
  readonly index: number | undefined;
  text: string;
  /** The text-level and the part-level `.done` have come. */
  isTextDone: boolean;
  isPartDone: boolean;
}

/** Something that stands in a whole part and was not shown yet. */
export interface MissingText {
  readonly text: string;
  /** It begins a part, and does not continue the one that is open. */
  readonly beginsPart: boolean;
}

/**
 * The parts of one kind of one item, as far as they were shown, for servers whose indices, deltas and whole texts need not agree. A whole text only ever adds what is missing at the end:
 * what a client has seen cannot be taken back, so a text that contradicts it adds nothing.
 */
export class PartTrack {
  /** Everything that was shown. */
  shown = '';
  #current: TrackedPart | undefined;

  /** A part was begun, and its end has not come. */
  get isOpen(): boolean {
    return this.#current?.isPartDone === false;
  }

  /** A delta. True when it begins a part. */
  add(index: number | undefined, delta: string): boolean {
    let part = this.#current;
    const isNew = part === undefined || (index !== undefined && part.index !== undefined && index !== part.index);
    if (part === undefined || isNew) part = this.#begin(index);
    part.text += delta;
    this.shown += delta;
    return isNew;
  }

  /** The whole text of a part. Undefined when nothing of it is missing, or it contradicts what was shown. The caller shows what is returned. */
  complete(index: number | undefined, text: string, level: 'text' | 'part'): MissingText | undefined {
    const { part, isNew } = this.#partOf(index, level);
    if (level === 'part') part.isPartDone = true;
    part.isTextDone = true;
    if (!text.startsWith(part.text)) return undefined;
    const missing = text.slice(part.text.length);
    part.text = text;
    this.shown += missing;
    return missing === '' ? undefined : { text: missing, beginsPart: isNew };
  }

  /** The texts of all parts of the item. */
  completeAll(texts: readonly string[]): readonly MissingText[] {
    if (!texts.join('').startsWith(this.shown)) return [];
    let seen = this.shown.length;
    const missing = texts.flatMap((text): MissingText[] => {
      const rest = text.slice(seen);
      const beginsPart = seen === 0;
      seen = Math.max(0, seen - text.length);
      return rest === '' ? [] : [{ text: rest, beginsPart }];
    });
    for (const { text } of missing) this.shown += text;
    return missing;
  }

  /** A wrong index must not make the end of the open part look like a part of its own. */
  #partOf(index: number | undefined, level: 'text' | 'part'): { part: TrackedPart; isNew: boolean } {
    const part = this.#current;
    const isOver = level === 'part' ? part?.isPartDone : part?.isTextDone;
    if (part === undefined || (isOver === true && index !== part.index)) return { part: this.#begin(index), isNew: true };
    return { part, isNew: false };
  }

  #begin(index: number | undefined): TrackedPart {
    this.#current = { index, text: '', isTextDone: false, isPartDone: false };
    return this.#current;
  }
}
