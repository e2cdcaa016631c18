/**
 * Text that grows by deltas. A model may cut an emoji between two deltas; half a surrogate pair is not text and would become U+FFFD on its way through UTF-8, so a
 * trailing high surrogate waits for its other half.
 */
export class GrowingText {
  #text = '';
  #held = '';

  /** What has been handed out so far: always the concatenation of everything `take` and `rest` returned. */
  get text(): string {
    return this.#text;
  }

  /** The part of `delta` that may be sent now; empty when all of it has to wait. */
  take(delta: string): string {
    let ready = this.#held === '' ? delta : this.#held + delta;
    const last = ready.charCodeAt(ready.length - 1);
    if (last >= 0xd800 && last <= 0xdbff) {
      this.#held = ready.slice(-1);
      ready = ready.slice(0, -1);
    } else if (this.#held !== '') this.#held = '';
    this.#text += ready;
    return ready;
  }

  /** Nothing more comes: a half that never met its other half. */
  rest(): string {
    const rest = this.#held;
    this.#held = '';
    this.#text += rest;
    return rest;
  }
}
