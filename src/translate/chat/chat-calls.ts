import { isJsonObject, parseJson } from '../../lib/json.ts';
import type { FinishReason, ModelEvent } from '../../model/model-event.ts';
import type { ToolNames } from '../tool-names.ts';

/** One entry of `tool_calls`, read loosely: what is missing or of another type is empty. */
interface CallDelta {
  readonly index: number | undefined;
  readonly id: string;
  readonly name: string;
  readonly arguments: string;
  readonly extra: unknown;
}

interface OpenCall {
  index: number | undefined;
  /** Id the server gave, empty when it gave none. */
  upstreamId: string;
  name: string;
  arguments: string;
  endsWithBrace: boolean;
  extra: unknown;
  /** Id in our events; undefined until `call-start` was sent. */
  callId: string | undefined;
}

/** What the Responses API takes as `call_id`: a client could not send a longer one back. */
const longestCallId = 64;

export interface ChatCallsOptions {
  readonly newId: (prefix: string) => string;
  readonly toolNames: ToolNames;
  readonly emit: (event: ModelEvent) => void;
  /** Called right before a `call-start`, with what the server wants back with this call (`extra_content`, else undefined). */
  readonly onStart: (callId: string, extra: unknown) => void;
  /** `extra_content` of a call that has started already. */
  readonly onLateExtra: (callId: string, extra: unknown) => void;
}

/**
 * Puts tool-call deltas of any dialect together (backends.md C). Servers leave the index out, use index 0 for every call, repeat or change ids, repeat names or send them late or in
 * pieces, and send arguments as objects. Two calls are never merged; what cannot be told apart ends as arguments that are not JSON, which the engine refuses.
 */
export class ChatCalls {
  readonly #options: ChatCallsOptions;
  readonly #calls: OpenCall[] = [];
  readonly #byIndex = new Map<number, OpenCall>();
  readonly #byId = new Map<string, OpenCall>();
  readonly #usedIds = new Set<string>();
  /** Calls with a name that may still grow. */
  readonly #waiting = new Set<OpenCall>();
  #latest: OpenCall | undefined;

  constructor(options: ChatCallsOptions) {
    this.#options = options;
  }

  /** Whether any call with a name was seen. */
  get hasCalls(): boolean {
    return this.#calls.some(({ name }) => name !== '');
  }

  /** `delta.tool_calls` of a chunk. */
  pushDeltas(entries: readonly unknown[]): void {
    const touched = new Set<OpenCall>();
    for (const entry of entries) {
      const delta = readCallDelta(entry);
      if (delta === undefined) continue;
      let call = this.#findCall(delta);
      // One list never names a call twice, so without index and id a second name is a second call.
      if (call !== undefined && touched.has(call) && delta.index === undefined && delta.id === '' && delta.name !== '')
        call = undefined;
      touched.add(this.#accept(call, delta));
    }
  }

  /** `message.tool_calls` of a whole body: every entry is a call of its own, whatever its index and id say. */
  pushWhole(entries: readonly unknown[]): void {
    for (const entry of entries) {
      const delta = readCallDelta(entry);
      if (delta !== undefined) this.#accept(undefined, delta);
    }
  }

  /** Legacy `function_call`: at most one, without id. */
  pushLegacy(functionCall: unknown): void {
    const delta = readCallDelta({ index: 0, function: functionCall });
    if (delta !== undefined) this.#accept(this.#byIndex.get(0), delta);
  }

  /**
   * The answer is over. On `stop` every call has ended. Else one was probably cut: only calls whose arguments are whole end. False when a call never got a name although the
   * model finished: it cannot be reported.
   */
  end(reason: FinishReason): boolean {
    this.startNamed();
    for (const call of this.#calls) {
      if (call.callId === undefined) continue;
      if (reason === 'stop' || this.#isWhole(call)) this.#options.emit({ type: 'call-end', callId: call.callId });
    }
    return reason !== 'stop' || this.#calls.every(({ name }) => name !== '');
  }

  /** Starts what has a name and waited for more of it. */
  startNamed(): void {
    for (const call of this.#waiting) this.#start(call);
  }

  #isWhole(call: OpenCall): boolean {
    if (call.arguments.trim() === '') return call !== this.#latest;
    return isJsonObject(parseJson(call.arguments));
  }

  #findCall(delta: CallDelta): OpenCall | undefined {
    const found = this.#findByKeys(delta);
    return found !== undefined && this.#isOtherCall(found, delta) ? undefined : found;
  }

  /** By id if known, else by index, else the latest one. */
  #findByKeys(delta: CallDelta): OpenCall | undefined {
    const atIndex = delta.index === undefined ? undefined : this.#byIndex.get(delta.index);
    if (delta.id === '') return this.#findWithoutId(delta, atIndex);
    const withId = this.#byId.get(delta.id);
    if (withId !== undefined) return this.#findKnownId(delta, withId, atIndex);
    // A new id with a name is a new call, also at an occupied index; without a name it is a server that changes ids.
    if (atIndex !== undefined) return delta.name !== '' && atIndex.upstreamId !== '' ? undefined : atIndex;
    return delta.name === '' && delta.index === undefined ? this.#latest : undefined;
  }

  #findWithoutId(delta: CallDelta, atIndex: OpenCall | undefined): OpenCall | undefined {
    if (atIndex !== undefined || delta.index === undefined) return atIndex ?? this.#latest;
    return delta.name === '' && this.#latest?.index === undefined ? this.#latest : undefined;
  }

  /** A known id, except where the index shows that a server uses one id for several calls. */
  #findKnownId(delta: CallDelta, withId: OpenCall, atIndex: OpenCall | undefined): OpenCall | undefined {
    if (atIndex?.upstreamId === delta.id) return atIndex;
    const isNewIndex = delta.index !== undefined && atIndex === undefined && withId.index !== undefined;
    return isNewIndex && delta.name !== '' ? undefined : withId;
  }

  /** Whether a delta that seems to continue `call` in truth begins another one. */
  #isOtherCall(call: OpenCall, delta: CallDelta): boolean {
    if (delta.name === '' || call.name === '') return false;
    if (delta.name === call.name) {
      const isNewObject = delta.id === '' && call.endsWithBrace && delta.arguments.startsWith('{');
      return isNewObject && isJsonObject(parseJson(call.arguments));
    }
    return call.callId !== undefined || !this.#isNamePiece(call, delta);
  }

  /** Names in pieces come before any arguments; the tools of the request tell pieces and new calls apart. */
  #isNamePiece(call: OpenCall, delta: CallDelta): boolean {
    const { toolNames } = this.#options;
    return toolNames.isKnown(call.name + delta.name) || delta.name.startsWith(call.name) || !toolNames.isKnown(delta.name);
  }

  #accept(found: OpenCall | undefined, delta: CallDelta): OpenCall {
    const call = found ?? this.#open();
    this.#bind(call, delta);
    this.#addName(call, delta.name);
    if (delta.extra !== undefined) this.#addExtra(call, delta.extra);
    if (delta.arguments !== '') {
      call.arguments += delta.arguments;
      call.endsWithBrace = delta.arguments.endsWith('}');
    }
    if (call.callId !== undefined) {
      if (delta.arguments !== '') this.#options.emit({ type: 'call-delta', callId: call.callId, delta: delta.arguments });
    } else if (call.name !== '') this.#startIfNamed(call);
    this.#latest = call;
    return call;
  }

  #startIfNamed(call: OpenCall): void {
    if (call.arguments !== '' || this.#options.toolNames.isKnown(call.name)) this.#start(call);
    else this.#waiting.add(call);
  }

  #open(): OpenCall {
    // What waited for more of its name will not get any more.
    this.startNamed();
    const call: OpenCall = {
      index: undefined,
      upstreamId: '',
      name: '',
      arguments: '',
      endsWithBrace: false,
      extra: undefined,
      callId: undefined,
    };
    this.#calls.push(call);
    return call;
  }

  /** The first id of a call stays; an index leads to the call that was last seen there. */
  #bind(call: OpenCall, delta: CallDelta): void {
    if (delta.id !== '' && (call.upstreamId === '' || call.upstreamId === delta.id)) {
      call.upstreamId = delta.id;
      this.#byId.set(delta.id, call);
    }
    if (delta.index !== undefined && (call.index === undefined || call.index === delta.index)) {
      call.index = delta.index;
      this.#byIndex.set(delta.index, call);
    }
  }

  #addName(call: OpenCall, name: string): void {
    if (name === '' || name === call.name || call.callId !== undefined) return;
    call.name = name.startsWith(call.name) ? name : call.name + name;
  }

  #addExtra(call: OpenCall, extra: unknown): void {
    if (call.callId === undefined) call.extra = extra;
    else this.#options.onLateExtra(call.callId, extra);
  }

  #start(call: OpenCall): void {
    const { newId, toolNames, emit, onStart } = this.#options;
    const { upstreamId } = call;
    const isUsable = upstreamId !== '' && upstreamId.length <= longestCallId && !this.#usedIds.has(upstreamId);
    const callId = isUsable ? upstreamId : newId('call');
    this.#usedIds.add(callId);
    call.callId = callId;
    this.#waiting.delete(call);
    onStart(callId, call.extra);
    emit({ type: 'call-start', callId, name: toolNames.fromAlias(call.name) });
    if (call.arguments !== '') emit({ type: 'call-delta', callId, delta: call.arguments });
  }
}

/** Undefined for an entry that says nothing at all: some servers send empty ones along. */
function readCallDelta(entry: unknown): CallDelta | undefined {
  if (!isJsonObject(entry)) return undefined;
  const functionPart = isJsonObject(entry['function']) ? entry['function'] : {};
  const { index, id } = entry;
  const { name } = functionPart;
  const delta: CallDelta = {
    index: typeof index === 'number' ? index : undefined,
    id: typeof id === 'string' ? id : typeof id === 'number' ? String(id) : '',
    name: typeof name === 'string' ? name : '',
    arguments: readArguments(functionPart['arguments']),
    extra: entry['extra_content'] ?? undefined,
  };
  return delta.id === '' && delta.name === '' && delta.arguments === '' ? undefined : delta;
}

/** Ollama's native form and some proxies send an object instead of its JSON text. */
function readArguments(value: unknown): string {
  if (typeof value === 'string') return value;
  return typeof value === 'object' && value !== null ? JSON.stringify(value) : '';
}
