/** What may be sent of one text of which only snapshots are seen. Nothing is ever sent twice. */
export class SnapshotText {
  #sent = '';
  #last: string | undefined;

  /** Whether anything of it went out. */
  get hasSent(): boolean {
    return this.#sent !== '';
  }

  /**
   * The text grows: what this snapshot and the one before agree on, as far as its last word boundary, without what was sent before. Agent servers rewrite the tail of what
   * they show (docs/decisions/0005), so the tail waits.
   */
  grow(snapshot: string): string {
    const last = this.#last;
    this.#last = snapshot;
    if (last === undefined || !snapshot.startsWith(this.#sent)) return '';
    const end = findStableEnd(snapshot, agreedLength(last, snapshot));
    if (end <= this.#sent.length) return '';
    return this.#send(snapshot, end);
  }

  /** What is missing of the text as it stands, or null when it does not go on from what was sent: it was rewritten. */
  complete(snapshot: string): string | null {
    this.#last = snapshot;
    return snapshot.startsWith(this.#sent) ? this.#send(snapshot, snapshot.length) : null;
  }

  /** Begins anew with the rewritten text, all of which is to be sent. */
  restart(snapshot: string): string {
    this.#sent = snapshot;
    this.#last = snapshot;
    return snapshot;
  }

  #send(snapshot: string, end: number): string {
    const delta = snapshot.slice(this.#sent.length, end);
    this.#sent = snapshot.slice(0, end);
    return delta;
  }
}

function agreedLength(last: string, next: string): number {
  if (next.startsWith(last)) return last.length;
  let length = 0;
  while (length < last.length && last.charCodeAt(length) === next.charCodeAt(length)) length += 1;
  return length;
}

/** Longer runs without a boundary are no words: they go out as they come. */
const longestWord = 64;

/** Characters of scripts that write words apart. The others (Han, Kana, Thai …) have a boundary after every character. */
const wordCharacter =
  /^(?![\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Thai}\p{Script=Lao}\p{Script=Khmer}])[\p{L}\p{M}\p{N}_'’-]$/u;

/** The last word boundary at or before `end`; never inside a surrogate pair. */
function findStableEnd(text: string, end: number): number {
  // Two texts may agree on the first half of a pair only.
  const from = isHighSurrogate(text, end - 1) ? end - 1 : end;
  if (from < text.length && !isWordAt(text, from)) return from;
  let at = from;
  while (at > 0 && from - at < longestWord && isWordAt(text, previousStart(text, at))) at = previousStart(text, at);
  return from - at >= longestWord ? from : at;
}

/** Where the character before `at` begins. */
function previousStart(text: string, at: number): number {
  return at >= 2 && isLowSurrogate(text, at - 1) && isHighSurrogate(text, at - 2) ? at - 2 : at - 1;
}

function isWordAt(text: string, at: number): boolean {
  const point = text.codePointAt(at);
  return point !== undefined && wordCharacter.test(String.fromCodePoint(point));
}

function isHighSurrogate(text: string, at: number): boolean {
  const unit = text.charCodeAt(at);
  return unit >= 0xd800 && unit <= 0xdbff;
}

function isLowSurrogate(text: string, at: number): boolean {
  const unit = text.charCodeAt(at);
  return unit >= 0xdc00 && unit <= 0xdfff;
}
