/**
 * Mistral repeats the text of a last assistant message (`prefix: true`) at the beginning of its answer. Takes that echo away; an answer that begins otherwise is left as it is.
 */
export class EchoFilter {
  readonly #echo: string;
  #matched = 0;
  #isOver: boolean;

  constructor(echo: string) {
    this.#echo = echo;
    this.#isOver = echo === '';
  }

  push(delta: string): string {
    if (this.#isOver) return delta;
    const expected = this.#echo.slice(this.#matched, this.#matched + delta.length);
    if (!delta.startsWith(expected)) {
      this.#isOver = true;
      return this.#echo.slice(0, this.#matched) + delta;
    }
    this.#matched += expected.length;
    if (this.#matched === this.#echo.length) this.#isOver = true;
    return delta.slice(expected.length);
  }

  /** The text is over: a beginning that only looked like the echo. */
  end(): string {
    const rest = this.#isOver ? '' : this.#echo.slice(0, this.#matched);
    this.#isOver = true;
    return rest;
  }
}
