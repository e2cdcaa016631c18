const unitMilliseconds = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 } as const;

const form = /^(\d+(?:\.\d+)?)\s*(ms|s|m|h|d)?$/;

/** Milliseconds of a length of time as people write it: seconds as a number (`30`), or with a unit (`500ms`, `30s`, `5m`, `2h`, `30d`). Undefined: it is none. */
export function parseDuration(value: unknown): number | undefined {
  if (typeof value === 'number') return value >= 0 && Number.isFinite(value) ? Math.round(value * 1_000) : undefined;
  if (typeof value !== 'string') return undefined;
  const [, amount, unit] = form.exec(value.trim()) ?? [];
  if (amount === undefined) return undefined;
  return Math.round(Number(amount) * unitMilliseconds[isUnit(unit) ? unit : 's']);
}

function isUnit(unit: string | undefined): unit is keyof typeof unitMilliseconds {
  return unit !== undefined && unit in unitMilliseconds;
}
