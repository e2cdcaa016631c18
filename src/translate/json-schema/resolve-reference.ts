import { isJsonObject } from '../../lib/json.ts';

/**
 * What a local `$ref` (`#`, `#/$defs/City`, `#/definitions/a~1b`) names inside `root`, or undefined. A JSON pointer in a URI fragment (RFC 6901 §6): percent-decoded,
 * then `~1` is `/` and `~0` is `~`. Only own members count, so `#/constructor` finds nothing.
 */
export function resolveReference(root: unknown, reference: string): unknown {
  if (reference === '#' || reference === '') return root;
  const pointer = decodeFragment(reference);
  if (!pointer?.startsWith('#/')) return undefined;
  let value = root;
  for (const token of pointer.slice(2).split('/')) {
    const key = token.replaceAll('~1', '/').replaceAll('~0', '~');
    if (Array.isArray(value)) value = /^\d+$/.test(key) ? (value[Number(key)] as unknown) : undefined;
    else if (isJsonObject(value) && Object.hasOwn(value, key)) value = value[key];
    else return undefined;
  }
  return value;
}

function decodeFragment(reference: string): string | undefined {
  try {
    return decodeURIComponent(reference);
  } catch {
    // A lone `%` is not a valid URI: nothing is named by it.
    return undefined;
  }
}
