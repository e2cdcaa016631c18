import { isJsonObject, parseJson, type JsonObject } from '../../lib/json.ts';
import type { ModelEvent } from '../../model/model-event.ts';
import type { AiSdkProviderOptions } from '../../protocol/ai-sdk/call-options.ts';
import type { ToolNames } from '../tool-names.ts';
import { mergeMetadata } from './ai-sdk-state.ts';

export interface AiSdkCallsOptions {
  readonly newId: (prefix: string) => string;
  readonly toolNames: ToolNames;
  readonly emit: (event: ModelEvent) => void;
  /** Metadata that is known before its call begins; what is known only later is in `lateMetadata`. */
  readonly keepMetadata: (callId: string, metadata: AiSdkProviderOptions) => void;
}

interface Call {
  readonly callId: string;
  readonly name: string;
  /** The arguments sent so far. */
  sent: string;
  /** The provider said that its input is over. */
  isWhole: boolean;
  isEnded: boolean;
  /** Deltas of raw text are no JSON: the arguments come with the call itself. */
  readonly isRaw: boolean;
  readonly metadata: AiSdkProviderOptions | undefined;
}

/** The parts of function calls → events. Every call gets an id of its own, whatever the provider sends; a call ends when it has arrived whole. */
export class AiSdkCalls {
  readonly #options: AiSdkCallsOptions;
  /** The latest call under each of the provider's ids. */
  readonly #calls = new Map<string, Call>();
  readonly #all: Call[] = [];
  readonly #late = new Map<string, AiSdkProviderOptions>();

  constructor(options: AiSdkCallsOptions) {
    this.#options = options;
  }

  get lateMetadata(): { readonly [callId: string]: AiSdkProviderOptions } | undefined {
    return this.#late.size === 0 ? undefined : Object.fromEntries(this.#late);
  }

  /** `tool-input-start` */
  start(part: JsonObject): void {
    const id = toText(part['id']);
    const open = this.#calls.get(id);
    if (open === undefined || open.isEnded) this.#begin(id, part);
  }

  /** `tool-input-delta` */
  delta(part: JsonObject): void {
    const call = this.#calls.get(toText(part['id']));
    if (call !== undefined && !call.isEnded && !call.isRaw) this.#send(call, toText(part['delta']));
  }

  /** `tool-input-end` */
  endInput(part: JsonObject): void {
    const call = this.#calls.get(toText(part['id']));
    if (call !== undefined) call.isWhole = !call.isRaw;
  }

  /** `tool-call`: its input is the whole arguments, of which deltas may have brought a part, or all. */
  whole(part: JsonObject): void {
    const id = toText(part['toolCallId']);
    const input = toInput(part['input']);
    const known = this.#calls.get(id);
    if (known?.isEnded === true && known.sent === input && id !== '') return;
    const call = known === undefined || known.isEnded ? this.#begin(id, part) : known;
    if (input.startsWith(call.sent)) this.#send(call, input.slice(call.sent.length));
    const metadata = mergeMetadata(undefined, part['providerMetadata']);
    if (metadata !== undefined && JSON.stringify(metadata) !== JSON.stringify(call.metadata))
      this.#late.set(call.callId, mergeMetadata(call.metadata, metadata) ?? metadata);
    this.#end(call);
  }

  /** Ends what the provider left open although it stopped by itself; false when a call was cut in the middle. */
  finish(): boolean {
    for (const call of this.#all) {
      if (call.isEnded) continue;
      if (!call.isWhole && !isJsonObject(parseJson(call.sent))) return false;
      this.#end(call);
    }
    return true;
  }

  #begin(id: string, part: JsonObject): Call {
    const { newId, toolNames, emit, keepMetadata } = this.#options;
    const isTaken = id === '' || this.#all.some(({ callId }) => callId === id);
    const callId = isTaken ? newId('call') : id;
    const metadata = mergeMetadata(undefined, part['providerMetadata']);
    const name = toolNames.fromAlias(toText(part['toolName']) || 'unnamed_tool');
    const isRaw = part['inputEncoding'] === 'text';
    const call: Call = { callId, name, sent: '', isWhole: false, isEnded: false, isRaw, metadata };
    this.#calls.set(id, call);
    this.#all.push(call);
    if (metadata !== undefined) keepMetadata(callId, metadata);
    emit({ type: 'call-start', callId, name });
    return call;
  }

  #send(call: Call, delta: string): void {
    if (delta === '') return;
    call.sent += delta;
    this.#options.emit({ type: 'call-delta', callId: call.callId, delta });
  }

  #end(call: Call): void {
    if (call.sent === '') this.#send(call, '{}');
    call.isEnded = true;
    this.#options.emit({ type: 'call-end', callId: call.callId });
  }
}

/** JSON text by the SDK's contract; some providers hand over the object itself. */
function toInput(input: unknown): string {
  if (typeof input === 'string') return input.trim() === '' ? '{}' : input;
  return input === undefined || input === null ? '{}' : JSON.stringify(input);
}

function toText(value: unknown): string {
  return typeof value === 'string' ? value : '';
}
