import { isJsonObject, parseJson, type JsonObject } from '../../lib/json.ts';
import { GatewayError } from '../../model/errors.ts';
import type { ToolNames } from '../tool-names.ts';
import type { AnswerFloor } from './answer-floor.ts';
import type { ItemPlace } from './item-place.ts';
import { wordOf } from './read-event.ts';

export interface CallOptions {
  readonly floor: AnswerFloor;
  readonly toolNames: ToolNames;
  /** The id for our events: the server's where it can be used. */
  readonly toCallId: (upstreamId: string | undefined) => string;
}

/** One function call. It ends only when its arguments have arrived whole: a client runs what it is handed. */
export class CallItemReader {
  readonly kind = 'call';
  readonly place: ItemPlace;
  isDone = false;
  readonly #options: CallOptions;
  #upstreamId: string | undefined;
  #name: string | undefined;
  #arguments = '';
  /** What the item began with; deltas make it void. */
  #opening = '';
  /** Id in our events; undefined until `call-start` was sent. */
  #callId: string | undefined;
  #isEnded = false;
  #isCut = false;

  constructor(place: ItemPlace, options: CallOptions) {
    this.place = place;
    this.#options = options;
  }

  /** The server's id of the call. */
  get upstreamId(): string | undefined {
    return this.#upstreamId;
  }

  /** Something of it was said, but not its name. */
  get isNameless(): boolean {
    return this.#name === undefined && (this.#arguments !== '' || this.#upstreamId !== undefined);
  }

  /** It was told, and its end was not. */
  get isOpen(): boolean {
    return this.#callId !== undefined && !this.#isEnded;
  }

  /** The item as it was added. */
  begin(item: JsonObject): void {
    this.#opening = argumentsOf(item['arguments']) ?? '';
    this.#identify(item);
  }

  delta(event: JsonObject): void {
    const { delta } = event;
    if (typeof delta === 'string' && delta !== '') this.#add(delta);
  }

  /** `function_call_arguments.done`. Some servers name the call only here. */
  argumentsDone(event: JsonObject): void {
    this.#identify(event);
    this.#fill(argumentsOf(event['arguments']));
  }

  /** The whole item, from `output_item.done` or from a response object. */
  complete(item: JsonObject): void {
    this.isDone = true;
    this.#identify(item);
    this.#fill(argumentsOf(item['arguments']) ?? this.#opening);
    // Cut is cut, also where the pieces happen to be JSON.
    if (item['status'] === 'incomplete') this.#isCut = true;
    else this.#end();
  }

  /** The answer goes on or is over, and nothing has said that the call is: it ends if its arguments are whole. */
  settle(): void {
    if (this.isDone || this.#isCut) return;
    if (this.#arguments === '') this.#fill(this.#opening);
    if (this.#isWhole()) this.#end();
  }

  #identify(item: JsonObject): void {
    this.#upstreamId ??= wordOf(item, 'call_id');
    this.#name ??= wordOf(item, 'name');
    this.#start();
  }

  #start(): void {
    if (this.#callId !== undefined || this.#name === undefined) return;
    const { floor, toolNames, toCallId } = this.#options;
    this.#callId = toCallId(this.#upstreamId ?? this.place.id);
    floor.takeOver(this);
    floor.emit({ type: 'call-start', callId: this.#callId, name: toolNames.fromAlias(this.#name) });
    if (this.#arguments !== '') floor.emit({ type: 'call-delta', callId: this.#callId, delta: this.#arguments });
  }

  #add(delta: string): void {
    if (this.#isEnded) return;
    this.#arguments += delta;
    if (this.#callId !== undefined) this.#options.floor.emit({ type: 'call-delta', callId: this.#callId, delta });
  }

  /** Adds what is missing at the end. Arguments that are not those that were shown must not be run by anybody. */
  #fill(text: string | undefined): void {
    if (text === undefined || text === this.#arguments || text === '') return;
    if (text.startsWith(this.#arguments)) {
      if (!this.#isEnded) {
        this.#add(text.slice(this.#arguments.length));
        return;
      }
    } else if (sameObject(text, this.#arguments)) return;
    throw new GatewayError(
      'upstream_invalid_response',
      'The model server sent a function call whose whole arguments are not the ones it had streamed.',
    );
  }

  #end(): void {
    if (this.#isEnded || this.#callId === undefined) return;
    this.#isEnded = true;
    this.#options.floor.emit({ type: 'call-end', callId: this.#callId });
  }

  #isWhole(): boolean {
    return isJsonObject(parseJson(this.#arguments));
  }
}

/** Some servers send the object instead of its JSON text. */
function argumentsOf(value: unknown): string | undefined {
  if (typeof value === 'string') return value;
  return isJsonObject(value) ? JSON.stringify(value) : undefined;
}

/** The same JSON in another spelling (white space). */
function sameObject(text: string, other: string): boolean {
  const [one, two] = [parseJson(text), parseJson(other)];
  return isJsonObject(one) && isJsonObject(two) && JSON.stringify(one) === JSON.stringify(two);
}
