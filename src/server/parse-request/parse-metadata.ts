import { invalid, toPreview } from '../../translate/parse/request-error.ts';
import { parseObject, parseString } from '../../translate/parse/parse-value.ts';

const maxPairs = 16;
const maxKeyLength = 64;
const maxValueLength = 512;

/**
 * `metadata`: at most 16 pairs, keys of at most 64 and values of at most 512 characters. A key may be anything, `__proto__` too: it survives as plain data, because
 * `Object.fromEntries` defines members and never assigns them. Copy it with a spread, not with `Object.assign`.
 */
export function parseMetadata(value: unknown): Record<string, string> {
  const entries = Object.entries(parseObject(value, 'metadata'));
  if (entries.length > maxPairs) {
    const message = `Invalid 'metadata': too many properties. Expected an object with at most ${maxPairs} properties, but got an object with ${entries.length} properties instead.`;
    throw invalid('object_above_max_properties', 'metadata', message);
  }
  return Object.fromEntries(
    entries.map(([key, member]) => [parseKey(key), parseString(member, `metadata.${key}`, { max: maxValueLength })]),
  );
}

/** Checked before the value, so that no path is longer than a key may be. */
function parseKey(key: string): string {
  if (Array.from(key.slice(0, 2 * maxKeyLength + 1)).length <= maxKeyLength) return key;
  const message = `Invalid property name in 'metadata': '${toPreview(key)}' is too long. Expected a string with maximum length ${maxKeyLength}.`;
  throw invalid('string_above_max_length', 'metadata', message);
}
