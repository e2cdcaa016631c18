import { hashName } from '../tool-names.ts';

/** Ids of calls as Anthropic takes them: of letters, digits, `_` and `-`, unique in a request, and the same in every request that has the same history. */
export class AnthropicCallIds {
  readonly #used = new Set<string>();

  /** The id for the next call of the history whose id at the client is `callId`. */
  next(callId: string): string {
    let id = /^[a-zA-Z0-9_-]{1,64}$/.test(callId) ? callId : toCallId(callId);
    for (let count = 2; this.#used.has(id); count += 1) id = toCallId(`${callId}#${count}`);
    this.#used.add(id);
    return id;
  }
}

function toCallId(text: string): string {
  return `toolu_${hashName(text)}`;
}
