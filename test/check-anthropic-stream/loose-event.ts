/** JSON that nobody has looked at. */
export type Loose = Record<string, unknown>;

export function loose(value: unknown): Loose {
  return typeof value === 'object' && value !== null ? (value as Loose) : {};
}

export function isCount(value: unknown): boolean {
  return Number.isInteger(value) && Number(value) >= 0;
}
