const openTag = '<think>';
const closeTag = '</think>';
/** Longer white space than this at the start is text; longer white space before a closing tag is thinking. */
const maxWhiteSpace = 64;

export interface ThoughtPiece {
  readonly type: 'reasoning' | 'text';
  readonly text: string;
}

/**
 * Takes `<think>…</think>` at the very start of a text apart; tags may be cut anywhere. Where a chat template has opened the tag already, the text begins with thinking and only
 * `</think>` shows it: such a text waits until the tag or the end, because words cannot be taken back. White space around the tags belongs to neither side.
 */
export class ThinkTags {
  #state: 'start' | 'unopened' | 'thinking' | 'after' | 'text' = 'start';
  /** The end of what came, never long. */
  #held = '';
  /** What came before `#held` while it is not known whether it is thinking. */
  readonly #waiting: string[] = [];
  #hasThought = false;

  push(delta: string): readonly ThoughtPiece[] {
    if (this.#state === 'text') return delta === '' ? [] : [{ type: 'text', text: delta }];
    this.#held += delta;
    const pieces: ThoughtPiece[] = [];
    if (this.#state === 'start') this.#readStart();
    if (this.#state === 'unopened' || this.#state === 'thinking') this.#readThinking(pieces);
    if (this.#state === 'after') this.#readAfter(pieces);
    return pieces;
  }

  /** The text is over, or something else follows: what was held is handed out. */
  end(): readonly ThoughtPiece[] {
    const text = this.#waiting.splice(0).join('') + this.#held;
    const type = this.#state === 'thinking' ? 'reasoning' : 'text';
    this.#held = '';
    this.#state = 'text';
    return text === '' || (type === 'reasoning' && text.trim() === '') ? [] : [{ type, text }];
  }

  #readStart(): void {
    const text = this.#held.trimStart();
    if (text.startsWith(openTag)) {
      this.#held = text.slice(openTag.length);
      this.#state = 'thinking';
    } else if (!openTag.startsWith(text) || this.#held.length > maxWhiteSpace) this.#state = 'unopened';
  }

  #readThinking(pieces: ThoughtPiece[]): void {
    const end = this.#held.indexOf(closeTag);
    if (end === -1) {
      this.#keepTail(pieces);
      return;
    }
    const thought = this.#waiting.splice(0).join('') + this.#held.slice(0, end);
    this.#addThought(pieces, thought.trimEnd());
    this.#held = this.#held.slice(end + closeTag.length);
    this.#state = 'after';
  }

  /** The last characters may be the beginning of the closing tag, or the white space before it. */
  #keepTail(pieces: ThoughtPiece[]): void {
    const safe = this.#held.length - tailLength(this.#held);
    if (safe === 0) return;
    const text = this.#held.slice(0, safe);
    this.#held = this.#held.slice(safe);
    if (this.#state === 'unopened') this.#waiting.push(text);
    else this.#addThought(pieces, text);
  }

  #addThought(pieces: ThoughtPiece[], text: string): void {
    const wanted = this.#hasThought ? text : text.trimStart();
    if (wanted === '') return;
    this.#hasThought = true;
    pieces.push({ type: 'reasoning', text: wanted });
  }

  #readAfter(pieces: ThoughtPiece[]): void {
    const text = this.#held.trimStart();
    this.#held = '';
    if (text === '') return;
    this.#state = 'text';
    pieces.push({ type: 'text', text });
  }
}

function tailLength(text: string): number {
  const from = text.lastIndexOf('<');
  const tagStart = from !== -1 && closeTag.startsWith(text.slice(from)) ? from : text.length;
  const limit = Math.max(0, tagStart - maxWhiteSpace);
  let index = tagStart;
  while (index > limit && /\s/.test(text.charAt(index - 1))) index -= 1;
  return text.length - index;
}
