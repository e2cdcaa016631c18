import { Secret } from '../../model/secret.ts';

/** Shorter values of headers are words (`X-Title: agents`), whose loss would only spoil messages. */
const shortestSecret = 8;

/** Everything a model server is sent that must not come back to a client in its words: the API key, and the values of configured headers with and without their scheme (`Bearer …`). */
export function knownSecrets(apiKey: Secret | null, headers: Readonly<Record<string, string>> = {}): readonly Secret[] {
  const values = Object.values(headers).flatMap((value) => [value, value.slice(value.indexOf(' ') + 1)]);
  const long = [...new Set(values)].filter(({ length }) => length >= shortestSecret);
  // The longest first: none may be left half-hidden by a shorter one in it.
  long.sort((a, b) => b.length - a.length);
  return [...(apiKey === null ? [] : [apiKey]), ...long.map((value) => new Secret(value))];
}
