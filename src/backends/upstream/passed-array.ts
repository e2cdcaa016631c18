import { closeBracket, JsonArrayScanner, openBracket } from '../../lib/json-array-scanner.ts';
import { parseJson } from '../../lib/json.ts';
import { GatewayError } from '../../model/errors.ts';
import type { TurnEvent } from '../../model/model-event.ts';
import type { PassedStreamOptions } from './passed-event-stream.ts';

/**
 * A JSON array that grows (Gemini's stream without `alt=sse`), on its way to a client that wants it so: as `PassedEventStream`, with elements for frames. What separates an element from the one before goes
 * with it; the bracket that closes the array comes in any case, unless the client's writer still has to say something.
 */
export class PassedArray {
  readonly #options: PassedStreamOptions;
  readonly #scanner = new JsonArrayScanner();
  /** Bytes that have not gone on: those of the open element, behind what is in front of it. */
  #open: Uint8Array[] = [];
  #isOpened = false;
  #size = 0;
  #state: 'open' | 'complete' | 'failed' = 'open';
  /** It failed of something that must not go on. */
  #isWithheld = false;

  constructor(options: PassedStreamOptions) {
    this.#options = options;
  }

  get isOver(): boolean {
    return this.#state !== 'open';
  }

  get isComplete(): boolean {
    return this.#state === 'complete';
  }

  get settled(): boolean {
    return this.#options.stage.settled;
  }

  push(bytes: Uint8Array): readonly TurnEvent[] {
    const events: TurnEvent[] = [];
    const passed: Uint8Array[] = [];
    let start = 0;
    for (let at = this.#readOpening(bytes); at < bytes.length && !this.isOver; at += 1) {
      if (this.#scanner.read(bytes[at] ?? 0) !== 'element-end') continue;
      const element = Buffer.concat([...this.#open, bytes.subarray(start, at + 1)]);
      start = at + 1;
      this.#open = [];
      this.#size = 0;
      if (this.#readElement(element, events)) passed.push(element);
    }
    this.#keep(bytes.subarray(start), events);
    const isEnd = this.#state === 'failed' && !this.#isWithheld;
    if (isEnd) passed.push(Uint8Array.of(closeBracket));
    return passed.length === 0 ? events : [...events, { type: 'native', bytes: Buffer.concat(passed), isEnd }];
  }

  end(): readonly TurnEvent[] {
    const { settled } = this.#options.stage;
    const events = this.#options.stage.end();
    this.#state = events.at(-1)?.type === 'failure' ? 'failed' : 'complete';
    if (this.#state === 'failed' && !settled) return events;
    const rest = Buffer.concat(this.#open);
    const tail = /^\s*\]\s*$/.test(rest.toString()) ? rest : Uint8Array.of(closeBracket);
    return [...events, { type: 'native', bytes: tail, isEnd: true }];
  }

  /** Where its elements may begin. */
  #readOpening(bytes: Uint8Array): number {
    if (this.#isOpened) return 0;
    this.#isOpened = true;
    return bytes.indexOf(openBracket) + 1;
  }

  /** Whether the element goes on. */
  #readElement(bytes: Buffer, events: TurnEvent[]): boolean {
    const text = bytes.toString();
    const value = parseJson(text.replace(/^[\s,[]+/, ''));
    if (value === undefined) {
      this.#fail(new GatewayError('upstream_invalid_response', 'The model server sent an element that is not JSON.'), events);
      return false;
    }
    events.push(...this.#options.stage.push(value));
    if (events.at(-1)?.type !== 'failure') return true;
    this.#state = 'failed';
    this.#isWithheld = this.#options.secrets.some((secret) => secret.reveal() !== '' && text.includes(secret.reveal()));
    return !this.#isWithheld;
  }

  #keep(bytes: Uint8Array, events: TurnEvent[]): void {
    if (bytes.length === 0 || this.isOver) return;
    this.#open.push(bytes);
    this.#size += bytes.length;
    if (this.#size <= this.#options.maxEventBytes) return;
    this.#fail(new GatewayError('upstream_event_too_large', "An element of the model server's answer is too large."), events);
  }

  #fail(error: GatewayError, events: TurnEvent[]): void {
    this.#isWithheld = true;
    this.#state = 'failed';
    events.push({ type: 'failure', error });
  }
}
