import { parseString } from '../parse/parse-value.ts';
import { invalid, missingParameter, toPreview } from '../parse/request-error.ts';
import type { Member, Members } from './from-gemini-request-members.ts';

/** What the hub takes for a `call_id`. */
const longestId = 64;

interface WaitingCall {
  readonly callId: string;
  /** As the client wrote it. */
  readonly id: string | null;
  readonly name: string;
  readonly path: string;
}

/**
 * Pairs function responses with their calls: by id, else by name and order, which is all that Gemini's older models have. A call without an id gets one from its place, so that
 * it is the same in every request of a conversation.
 */
export class CallPairs {
  readonly #used = new Set<string>();
  #waiting: WaitingCall[] = [];

  /** A call of the model; returns its id in the hub. */
  add(call: Members): { readonly callId: string; readonly name: string } {
    const name = parseString(call.get('name').value, call.get('name').path, { min: 1 });
    const id = readId(call.get('id'));
    const isFree = id !== null && id.length <= longestId && !this.#waiting.some(({ callId }) => callId === id);
    const callId = isFree ? id : this.#makeId(call.path);
    this.#used.add(callId);
    this.#waiting.push({ callId, id, name, path: call.path });
    return { callId, name };
  }

  /** The call that a function response answers. Throws where none waits for it. */
  take(response: Members): string {
    const id = readId(response.get('id'));
    const { value, path } = response.get('name');
    const byId = id === null ? undefined : this.#waiting.find((call) => call.id === id);
    if (byId !== undefined) return this.#remove(byId);
    if (value === undefined) throw missingParameter(path, 'It says which call the response belongs to.');
    const name = parseString(value, path, { min: 1 });
    const byName = this.#waiting.find((call) => call.name === name);
    if (byName !== undefined) return this.#remove(byName);
    const message = `Invalid '${path}': no call of the function '${toPreview(name)}' waits for a response.`;
    throw invalid('invalid_request_error', path, message);
  }

  /** Calls that nobody has answered, oldest first. */
  get unanswered(): readonly WaitingCall[] {
    return this.#waiting;
  }

  #remove(call: WaitingCall): string {
    this.#waiting = this.#waiting.filter((other) => other !== call);
    return call.callId;
  }

  /** `contents[1].parts[0].functionCall` → `call_1_0`. */
  #makeId(path: string): string {
    const place = ['call', ...(path.match(/\d+/g) ?? [])].join('_').slice(0, longestId - 4);
    let id = place;
    for (let count = 2; this.#used.has(id); count += 1) id = `${place}_${String(count)}`;
    return id;
  }
}

function readId({ value, path }: Member): string | null {
  return value === undefined || value === '' ? null : parseString(value, path);
}
