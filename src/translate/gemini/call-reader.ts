import { isJsonObject, type JsonObject } from '../../lib/json.ts';
import { GatewayError } from '../../model/errors.ts';
import type { ToolNames } from '../tool-names.ts';
import type { AnswerWriter } from './answer-writer.ts';
import { PartialArguments } from './partial-arguments.ts';
import type { CallEntry } from './thought-state.ts';

export interface CallReaderOptions {
  readonly writer: AnswerWriter;
  readonly newId: (prefix: string) => string;
  readonly toolNames: ToolNames;
}

/** Ids that any client and any other server can carry. */
const usableId = /^[\w.:-]{1,64}$/;

/** `functionCall` parts → calls: whole ones, and those whose arguments arrive in pieces. Throws GatewayError for a call that cannot be made. */
export class CallReader {
  readonly #options: CallReaderOptions;
  readonly #usedIds = new Set<string>();
  /** By part: the state of a step names its later calls before their parts are read. */
  readonly #callIds = new WeakMap<JsonObject, string>();
  readonly #reported = new Set<string>();
  #open: { readonly callId: string; readonly arguments: PartialArguments } | undefined;

  constructor(options: CallReaderOptions) {
    this.#options = options;
  }

  /** `parts` are those of the same chunk, `at` is where the call stands. */
  read(call: JsonObject, parts: readonly unknown[], at: number): void {
    const { writer, toolNames } = this.#options;
    const { name, args, partialArgs, willContinue } = call;
    if (typeof name !== 'string' || name === '') {
      this.#continue(call);
      return;
    }
    this.finishOpen();
    const callId = this.#idOf(parts[at], call);
    writer.startCall(callId, toolNames.fromAlias(name), this.#entriesFrom(parts, at));
    if (willContinue === true || (partialArgs !== undefined && partialArgs !== null)) {
      this.#open = { callId, arguments: new PartialArguments() };
      this.#open.arguments.add(partialArgs);
      if (willContinue !== true) this.finishOpen();
      return;
    }
    this.#end(callId, args === undefined || args === null ? '' : toText(args));
  }

  /** Ends the open call, if any. Throws when its arguments are not whole: a call must not look complete then. */
  finishOpen(): void {
    if (this.#open === undefined) return;
    const { callId, arguments: pieces } = this.#open;
    this.#open = undefined;
    const text = pieces.finish();
    if (text === undefined)
      throw new GatewayError('upstream_invalid_response', 'The arguments of a function call did not arrive whole.');
    this.#end(callId, text);
  }

  /** A chunk without a name: more of the open call, or its end (`{}`). */
  #continue({ args, partialArgs, willContinue }: JsonObject): void {
    if (this.#open === undefined) {
      // A stray end says nothing; arguments without a call would be lost.
      if ((args ?? partialArgs ?? null) === null) return;
      throw new GatewayError('upstream_invalid_response', 'The model server sent a function call without a name.');
    }
    this.#open.arguments.add(partialArgs);
    if (willContinue !== true) this.finishOpen();
  }

  #end(callId: string, argumentText: string): void {
    if (argumentText !== '') this.#options.writer.emit({ type: 'call-delta', callId, delta: argumentText });
    this.#options.writer.emit({ type: 'call-end', callId });
  }

  /** What must come back with this call, and with the unsigned ones that follow in the chunk: one state for a whole step. */
  #entriesFrom(parts: readonly unknown[], at: number): CallEntry[] {
    const entries: CallEntry[] = [];
    for (const [index, part] of parts.entries()) {
      const call = index < at ? undefined : readNamedCall(part);
      if (call === undefined) continue;
      const signature = readSignature(part);
      if (index > at && signature !== undefined) break;
      const entry = this.#toEntry(this.#idOf(part, call), signature, call['id']);
      if (entry !== undefined) entries.push(entry);
    }
    return entries;
  }

  /** Undefined when there is nothing to bring back, or it has been noted already. */
  #toEntry(callId: string, signature: string | undefined, id: unknown): CallEntry | undefined {
    const geminiId = typeof id === 'string' && id !== '' ? id : undefined;
    if (this.#reported.has(callId) || (signature === undefined && geminiId === undefined)) return undefined;
    this.#reported.add(callId);
    return { on: 'call', callId, ...(signature !== undefined && { signature }), ...(geminiId !== undefined && { geminiId }) };
  }

  /** Gemini's id where it can serve, else a new one. */
  #idOf(part: unknown, call: JsonObject): string {
    const key = isJsonObject(part) ? part : call;
    const known = this.#callIds.get(key);
    if (known !== undefined) return known;
    const given = call['id'];
    const callId =
      typeof given === 'string' && usableId.test(given) && !this.#usedIds.has(given) ? given : this.#options.newId('call');
    this.#usedIds.add(callId);
    this.#callIds.set(key, callId);
    return callId;
  }
}

function readNamedCall(part: unknown): JsonObject | undefined {
  const call = isJsonObject(part) ? part['functionCall'] : undefined;
  return isJsonObject(call) && typeof call['name'] === 'string' && call['name'] !== '' ? call : undefined;
}

/** The signature of a part; an empty one is none. */
export function readSignature(part: unknown): string | undefined {
  const signature = isJsonObject(part) ? part['thoughtSignature'] : undefined;
  return typeof signature === 'string' && signature !== '' ? signature : undefined;
}

function toText(args: unknown): string {
  return typeof args === 'string' ? args : JSON.stringify(args);
}
