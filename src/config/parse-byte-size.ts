const unitBytes = new Map([
  ['', 1],
  ['b', 1],
  ['kb', 1_000],
  ['mb', 1_000 ** 2],
  ['gb', 1_000 ** 3],
  ['tb', 1_000 ** 4],
  ['kib', 1_024],
  ['mib', 1_024 ** 2],
  ['gib', 1_024 ** 3],
  ['tib', 1_024 ** 4],
]);

/** Bytes of a size as people write it: a number, or with a unit (`32MiB`, `1GB`). Undefined: it is none. */
export function parseByteSize(value: unknown): number | undefined {
  if (typeof value === 'number') return Number.isSafeInteger(value) && value >= 0 ? value : undefined;
  if (typeof value !== 'string') return undefined;
  const [, amount, unit] = /^(\d+(?:\.\d+)?)\s*([a-z]*)$/i.exec(value.trim()) ?? [];
  const factor = unitBytes.get((unit ?? '').toLowerCase());
  return amount === undefined || factor === undefined ? undefined : Math.round(Number(amount) * factor);
}
