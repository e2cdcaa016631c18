import { GatewayError } from '../model/errors.ts';
import type { NativeEvent } from '../model/model-event.ts';
import type { ResponseEvent } from '../protocol/responses/event.ts';
import type { OutputItem } from '../protocol/responses/items.ts';
import { ResumedStream } from './resumed-stream.ts';

type NativeHead = Extract<NativeEvent, { type: 'native-head' }>;

/** An answer that goes on in the server's own bytes. */
export class Passage {
  /** Of the server, for the client. */
  readonly headers: Readonly<Record<string, string>>;
  /** Whether calls that are cut or broken go on as they are: nobody can write the rest of such a stream. */
  readonly showsAll: boolean;
  readonly #head: NativeHead;
  #bytes: Uint8Array | null = null;
  #isEnd = false;
  #resumed: ResumedStream | null = null;

  constructor(head: NativeHead) {
    this.#head = head;
    this.headers = head.headers;
    this.showsAll = head.shown === null;
  }

  /** The bytes so far show how the answer ended. */
  get isEnd(): boolean {
    return this.#isEnd;
  }

  /** The rest of the answer is written by us. */
  get isResumed(): boolean {
    return this.#resumed !== null;
  }

  add({ bytes, isEnd }: Extract<NativeEvent, { type: 'native' }>): void {
    this.#bytes = bytes;
    this.#isEnd ||= isEnd;
  }

  /** The whole frames since the last time. */
  take(): Uint8Array | null {
    const bytes = this.#bytes;
    this.#bytes = null;
    return bytes;
  }

  /** From here on the events are written, if the client's dialect allows it. `output`: the items so far. */
  resume(output: readonly OutputItem[]): boolean {
    const { shown } = this.#head;
    if (shown !== null) this.#resumed ??= new ResumedStream(shown, output);
    return shown !== null;
  }

  /** The events as the client gets them, if it gets them. */
  toShown(events: readonly ResponseEvent[]): readonly ResponseEvent[] {
    return this.#resumed?.push(events) ?? events;
  }

  /** All items are closed. `isWhole`: the response is complete. */
  settle(end: { readonly isWhole: boolean }): void {
    this.#resumed?.settle(end);
  }

  /** Why the rest cannot be written; null: it can. */
  get fault(): GatewayError | null {
    if (this.#resumed?.isLost !== true) return null;
    const message = 'The model server broke the rules of the event stream in a way that cannot be repaired.';
    return new GatewayError('upstream_invalid_response', message);
  }
}
