import type { StoredItem, StoredResponse } from '../model/response-store.ts';

/** The texts of a stored response. JSON text is a true copy of plain JSON, whatever is in its strings, and one string crosses to a thread cheaper than a tree. */
export interface StoredText {
  /** JSON of everything but `states` and `events`. */
  readonly body: string;
  /** JSON of `states`: apart, because item look-ups need it without the body. */
  readonly states: string;
  /** `events` as it is: it is JSON inside already, and escaping it once more would cost the main thread a fifth of a save. */
  readonly events: string;
}

/** A stored response as columns. Ids are keys as `encodeKey` makes them. */
export interface StoredRow extends StoredText {
  readonly id: string;
  readonly owner: string;
  readonly previousId: string | null;
  /** The conversation whose head moves to this response; null when it belongs to none, or has failed: a failed response moves no head. */
  readonly conversation: string | null;
  /** Unix seconds. */
  readonly createdAt: number;
  /** Keys of all items of input and output, each once, joined by line feeds (which no key contains). */
  readonly itemKeys: string;
}

/**
 * An id as the database can keep it: unchanged when it is plain, else escaped as in JSON. Clients choose ids of input items, and a database would cut
 * one at a NUL and make all lone surrogates equal.
 */
export function encodeKey(id: string): string {
  return JSON.stringify(id).slice(1, -1);
}

/** The id of a key that `encodeKey` made. */
export function decodeKey(key: string): string {
  return String(JSON.parse(`"${key}"`));
}

/** Everything the store needs to know of a response, as text. Later changes of `stored` do not reach the row. */
export function encodeStored(stored: StoredResponse): StoredRow {
  const { states, events, ...rest } = stored;
  const movesHead = stored.conversation !== null && stored.response.status !== 'failed';
  return {
    id: encodeKey(stored.id),
    owner: encodeKey(stored.owner),
    previousId: stored.previousResponseId === null ? null : encodeKey(stored.previousResponseId),
    conversation: movesHead ? encodeKey(stored.conversation) : null,
    createdAt: stored.createdAt,
    itemKeys: Array.from(itemIds(stored), encodeKey).join('\n'),
    body: JSON.stringify(rest),
    states: JSON.stringify(states),
    events,
  };
}

/** The response as it was when it was saved. */
export function decodeStored(text: StoredText): StoredResponse {
  return { ...parseBody(text.body), states: parseStates(text.states), events: text.events };
}

/** Ids of all items of input and output. */
function itemIds(stored: Pick<StoredResponse, 'input' | 'response'>): ReadonlySet<string> {
  const ids = new Set<string>();
  for (const item of stored.input) ids.add(item.id);
  for (const item of stored.response.output) ids.add(item.id);
  return ids;
}

/** The items of a body whose keys are wanted. An id that stands there twice means the later item; output is later than input. */
export function findItems(body: string, wanted: ReadonlySet<string>): ReadonlyMap<string, StoredItem> {
  const { input, response } = parseBody(body);
  const found = new Map<string, StoredItem>();
  const items: readonly StoredItem[] = [...input, ...response.output.map((item) => ({ ...item }))];
  for (const item of items) {
    const key = encodeKey(item.id);
    if (wanted.has(key)) found.set(key, item);
  }
  return found;
}

/** The sealed states of a response by item key. */
export function parseStateKeys(states: string): ReadonlyMap<string, string> {
  if (states === '{}') return new Map();
  return new Map(Object.entries(parseStates(states)).map(([id, sealed]) => [encodeKey(id), sealed]));
}

/** The item with its sealed state. What it carries itself stays: that is the same state, as its client sent it back. */
export function fillState(item: StoredItem, sealed: string | undefined): StoredItem {
  const own = item['encrypted_content'];
  const isFilled = typeof own === 'string' && own !== '';
  return sealed === undefined || isFilled ? item : { ...item, encrypted_content: sealed };
}

/** Size of a stored response for retention, in bytes of JSON. */
export function countBytes(text: StoredText): number {
  return Buffer.byteLength(text.body) + Buffer.byteLength(text.states) + Buffer.byteLength(text.events);
}

// The casts: these texts are written by encodeStored alone.
function parseBody(body: string): Omit<StoredResponse, 'states' | 'events'> {
  const stored = JSON.parse(body) as Omit<StoredResponse, 'states' | 'events' | 'conversation'> & {
    conversation?: string | null;
  };
  // Responses of schema version 1 knew no conversations.
  return { ...stored, conversation: stored.conversation ?? null };
}

function parseStates(states: string): StoredResponse['states'] {
  return JSON.parse(states) as StoredResponse['states'];
}
