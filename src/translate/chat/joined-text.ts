/** Texts that stood apart (messages, blocks of thinking), as the one text that chat has for them: with a blank line between, growing by deltas. */
export class JoinedText {
  #length = 0;
  #start = 0;

  /** Where the current piece begins in the whole, in UTF-16 code units. */
  get start(): number {
    return this.#start;
  }

  /** What comes now belongs to another piece. One that stays empty leaves no trace. */
  begin(): void {
    this.#start = this.#length === 0 ? 0 : this.#length + gap.length;
  }

  /** The delta of the whole. */
  add(delta: string): string {
    if (delta === '') return '';
    const grown = this.#length < this.#start ? gap + delta : delta;
    this.#length += grown.length;
    return grown;
  }
}

const gap = '\n\n';
