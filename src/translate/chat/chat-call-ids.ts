import { hashName } from '../tool-names.ts';

/** OpenAI's chat API refuses longer ids with a 400. */
const longestOfChat = 40;

/**
 * Ids of calls as a server accepts them, the same in every request that has the same history. Ids of one request are unique: some servers count from 0 in every turn. `exactlyNine`:
 * Mistral wants nine letters and digits.
 */
export class ChatCallIds {
  readonly #exactlyNine: boolean;
  readonly #maxLength: number;
  readonly #used = new Set<string>();

  constructor(options: { readonly exactlyNine: boolean; readonly maxLength?: number }) {
    this.#exactlyNine = options.exactlyNine;
    this.#maxLength = options.maxLength ?? longestOfChat;
  }

  /** The id for the next call of the history whose id at the client is `callId`. */
  next(callId: string): string {
    let id = this.#fits(callId) ? callId : this.#replace(callId);
    for (let count = 2; this.#used.has(id); count += 1) id = this.#replace(`${callId}#${count}`);
    this.#used.add(id);
    return id;
  }

  #fits(callId: string): boolean {
    return this.#exactlyNine ? /^[a-zA-Z0-9]{9}$/.test(callId) : callId.length > 0 && callId.length <= this.#maxLength;
  }

  #replace(callId: string): string {
    const hash = hashName(callId);
    return this.#exactlyNine ? hash.slice(-9) : `call_${hash}`;
  }
}
