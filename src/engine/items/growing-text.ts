/**
 * Text that grows by deltas. A model may cut an emoji between two deltas; half a surrogate pair is not text and would become U+FFFD on its way through UTF-8, so a
 * trailing high surrogate waits for its other half. One that never meets it becomes U+FFFD here: as an escape in JSON it would make strict parsers (serde, Codex) drop the whole event.
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
    if (loneHalf.test(ready)) ready = ready.replace(loneHalves, '\uFFFD');
    this.#text += ready;
    return ready;
  }

  /** Nothing more comes: a half that never met its other half. */
  rest(): string {
    const rest = this.#held === '' ? '' : '\uFFFD';
    this.#held = '';
    this.#text += rest;
    return rest;
  }
}

/** In Unicode mode a pair is one character, so only halves match. */
const loneHalf = /\p{Surrogate}/u;
const loneHalves = /\p{Surrogate}/gu;
