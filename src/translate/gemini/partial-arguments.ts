import { isJsonObject } from '../../lib/json.ts';

type Container = unknown[] | Record<string, unknown>;

/** A longer array than any model writes; a larger index would only fill memory. */
const maxIndex = 10_000;

/**
 * Arguments that arrive in pieces (`partialArgs`, Vertex with `streamFunctionCallArguments`): each piece sets the value at a JSON path, strings may grow over several pieces.
 */
export class PartialArguments {
  readonly #root: Record<string, unknown> = emptyObject();
  #openPath: string | null = null;
  #isBroken = false;

  /** Adds the pieces of one chunk. What cannot be understood makes the arguments unusable. */
  add(pieces: unknown): void {
    if (pieces === undefined || pieces === null) return;
    if (!Array.isArray(pieces)) this.#isBroken = true;
    else for (const piece of pieces) if (!this.#addPiece(piece)) this.#isBroken = true;
  }

  /** JSON text of the arguments, or undefined when they are not whole: a string is still open, or a piece was not understood. */
  finish(): string | undefined {
    return this.#isBroken || this.#openPath !== null ? undefined : JSON.stringify(this.#root);
  }

  #addPiece(piece: unknown): boolean {
    if (!isJsonObject(piece) || typeof piece['jsonPath'] !== 'string') return false;
    const path = piece['jsonPath'];
    const tokens = parsePath(path);
    if (tokens === undefined) return false;
    const grows = piece['willContinue'] === true;
    const value = readValue(piece);
    const isSamePath = this.#openPath === path;
    this.#openPath = grows ? path : null;
    if (value === undefined) return grows;
    return setAt(this.#root, tokens, (known) =>
      isSamePath && typeof known === 'string' && typeof value === 'string' ? known + value : value,
    );
  }
}

/** Without a prototype, so that a member called `__proto__` is a member like any other. */
function emptyObject(): Record<string, unknown> {
  return Object.create(null) as Record<string, unknown>;
}

function readValue(piece: { readonly [key: string]: unknown }): unknown {
  const { stringValue, numberValue, boolValue } = piece;
  if (typeof stringValue === 'string') return stringValue;
  if (typeof numberValue === 'number') return numberValue;
  if (typeof boolValue === 'boolean') return boolValue;
  return 'nullValue' in piece ? null : undefined;
}

/** `$.a.b[0]['c d']` → `['a', 'b', 0, 'c d']`; undefined when it is not such a path or names the root itself. */
function parsePath(path: string): readonly (string | number)[] | undefined {
  if (!path.startsWith('$')) return undefined;
  const step = /\.([^.[\]]+)|\[(\d+)\]|\['([^']*)'\]|\["([^"]*)"\]/y;
  step.lastIndex = 1;
  const tokens: (string | number)[] = [];
  while (step.lastIndex < path.length) {
    const match = step.exec(path);
    if (match === null) return undefined;
    tokens.push(match[2] === undefined ? (match[1] ?? match[3] ?? match[4] ?? '') : Number(match[2]));
  }
  return tokens.length > 0 ? tokens : undefined;
}

/** Walks to the place, creating what is missing; false when something else stands in the way. */
function setAt(root: Container, tokens: readonly (string | number)[], change: (known: unknown) => unknown): boolean {
  let container: Container = root;
  for (const [at, token] of tokens.entries()) {
    if (Array.isArray(container) !== (typeof token === 'number')) return false;
    if (typeof token === 'number' && token > maxIndex) return false;
    // Numbers and strings both index either container; the check above made sure that they fit.
    const members = container as Record<string | number, unknown>;
    const next = tokens[at + 1];
    if (next === undefined) {
      members[token] = change(members[token]);
      return true;
    }
    const child: unknown = members[token] ?? (typeof next === 'number' ? [] : emptyObject());
    if (!isContainer(child)) return false;
    members[token] = child;
    container = child;
  }
  return false;
}

function isContainer(value: unknown): value is Container {
  return typeof value === 'object' && value !== null;
}
