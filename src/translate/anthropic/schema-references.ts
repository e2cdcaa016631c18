import { isJsonObject, type JsonObject } from '../../lib/json.ts';

/** The schema that a local reference (`#`, `#/$defs/Person`) means; undefined when there is none. */
export function resolveLocalReference(root: JsonObject, reference: string): unknown {
  if (reference === '#') return root;
  if (!reference.startsWith('#/')) return undefined;
  let place: unknown = root;
  for (const segment of reference.slice(2).split('/')) {
    const key = decodeSegment(segment);
    if (Array.isArray(place)) place = (place as readonly unknown[])[Number(key)];
    else place = isJsonObject(place) && Object.hasOwn(place, key) ? place[key] : undefined;
  }
  return place;
}

/** Whether every reference is local, leads to something, and never back to itself. */
export function isInlineable(root: JsonObject): boolean {
  const finished = new Set<string>();
  return leadsNowhereBack(root, root, { open: new Set(['#']), finished });
}

interface Walk {
  /** References on the way from the root to here. */
  readonly open: ReadonlySet<string>;
  readonly finished: Set<string>;
}

function leadsNowhereBack(place: unknown, root: JsonObject, walk: Walk): boolean {
  if (Array.isArray(place)) return place.every((item) => leadsNowhereBack(item, root, walk));
  if (!isJsonObject(place)) return true;
  const reference = place['$ref'];
  if (typeof reference === 'string' && !isFinite(reference, root, walk)) return false;
  // Definitions are looked at where they are used.
  return Object.entries(place).every(([key, member]) => definitions.has(key) || leadsNowhereBack(member, root, walk));
}

const definitions = new Set(['$defs', 'definitions', 'enum', 'const', 'default', 'examples']);

function isFinite(reference: string, root: JsonObject, { open, finished }: Walk): boolean {
  if (finished.has(reference)) return true;
  const target = resolveLocalReference(root, reference);
  if (open.has(reference) || target === undefined) return false;
  const isSound = leadsNowhereBack(target, root, { open: new Set([...open, reference]), finished });
  finished.add(reference);
  return isSound;
}

function decodeSegment(segment: string): string {
  try {
    return decodeURIComponent(segment).replaceAll('~1', '/').replaceAll('~0', '~');
  } catch {
    return segment;
  }
}
