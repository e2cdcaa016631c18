/** For the `default:` of a switch over our own unions: a new member becomes a compile error. */
export function assertNever(value: never, what: string): never {
  throw new Error(`unexpected ${what}: ${JSON.stringify(value)}`);
}
