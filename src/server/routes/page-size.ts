import { parseInteger } from '../../translate/parse/parse-value.ts';

export interface PageSizeRule {
  readonly byDefault: number;
  readonly max: number;
  /** More than `max` is taken for it, and 0 for the default, as Google does; else both are refused. */
  readonly cuts?: boolean;
}

/** How many entries a page of a list has, from the URL. Throws `invalid_type`, `integer_below_min_value`, `integer_above_max_value`. */
export function parsePageSize(text: string | null, path: string, { byDefault, max, cuts = false }: PageSizeRule): number {
  if (text === null || text === '') return byDefault;
  const asked = /^-?\d{1,15}$/.test(text) ? Number(text) : text;
  const size = parseInteger(asked, path, { min: cuts ? 0 : 1, max: cuts ? Number.MAX_SAFE_INTEGER : max });
  return size === 0 ? byDefault : Math.min(size, max);
}
