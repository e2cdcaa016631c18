import { isJsonObject } from '../../lib/json.ts';
import { Secret } from '../../model/secret.ts';

/** Members that hold credentials, whatever the provider calls them; headers may. */
const secretNames = /key|token|secret|pass|auth|credential|header|cookie/i;
/** Shorter values are words, whose loss would only spoil messages. */
const shortest = 8;

/** Credentials in the options of a provider, the longest first: what must never come back in its words. */
export function findOptionSecrets(options: unknown): readonly Secret[] {
  const found = new Set<string>();
  collect(options, false, found);
  return [...found].sort((one, other) => other.length - one.length).map((value) => new Secret(value));
}

function collect(value: unknown, isSecret: boolean, found: Set<string>): void {
  if (typeof value === 'string') {
    if (!isSecret) return;
    // `Bearer …` is quoted with its scheme and without.
    for (const text of [value, value.slice(value.indexOf(' ') + 1)]) if (text.length >= shortest) found.add(text);
  } else if (Array.isArray(value)) for (const member of value as readonly unknown[]) collect(member, isSecret, found);
  else if (isJsonObject(value))
    for (const [name, member] of Object.entries(value)) collect(member, isSecret || secretNames.test(name), found);
}
