import type { IncomingHttpHeaders } from 'node:http';

/** Those of the headers that are there; a repeated one is joined. */
export function pickHeaders(headers: IncomingHttpHeaders, names: readonly string[]): Readonly<Record<string, string>> {
  return Object.fromEntries(
    names.flatMap((name) => {
      const value = headers[name];
      return value === undefined ? [] : [[name, Array.isArray(value) ? value.join(', ') : value] as const];
    }),
  );
}
