import { z } from 'zod';
import type { Secret } from '../model/secret.ts';
import { parseByteSize } from './parse-byte-size.ts';
import { parseDuration } from './parse-duration.ts';
import { parseAllowedHost, parseListen, type ListenAddress } from './parse-host.ts';
import {
  isSealingKey,
  parseBaseUrl,
  parseVersionedBaseUrl,
  parseCredential,
  parsePort,
  parseShare,
  parseWholeNumber,
  parseSecret,
  parseWebOrigin,
  parseYesOrNo,
} from './parse-scalars.ts';

/** Node's timers cannot count further: a longer one would fire at once. */
const longestTimerMs = 2 ** 31 - 1;

/** A member whose value `parse` understands; it answers undefined for what it does not. The faults never show what was written: it may be a secret. */
function value<T>(expected: string, parse: (written: unknown) => T | undefined): z.ZodType<T> {
  return z.unknown().transform((written, context): T => {
    const parsed = written === undefined || written === null ? undefined : parse(written);
    if (parsed !== undefined) return parsed;
    context.addIssue({ code: 'custom', message: complain(written, expected) });
    return z.NEVER;
  });
}

function complain(written: unknown, expected: string): string {
  if (written === undefined) return `is missing: give ${expected}`;
  if (written === null || written === '') return `is empty: give ${expected}, or remove it`;
  return `must be ${expected}`;
}

/** Text that is not empty, without white space around it. */
export function text(expected: string, isRight: (written: string) => boolean = () => true): z.ZodType<string> {
  return value(expected, (written) => {
    const trimmed = typeof written === 'string' ? written.trim() : '';
    return trimmed !== '' && isRight(trimmed) ? trimmed : undefined;
  });
}

export function oneOf<const T extends string>(names: readonly T[]): z.ZodType<T> {
  return value(`one of ${names.join(', ')}`, (written) => names.find((name) => name === written));
}

export function port(): z.ZodType<number> {
  return value('a port from 1 to 65535, or 0 for any free one', parsePort);
}

export function wholeNumber(minimum: number, maximum: number): z.ZodType<number> {
  const expected = `a whole number from ${minimum} to ${maximum}`;
  return value(expected, (written) => parseWholeNumber(written, minimum, maximum));
}

/** `off` is null. */
export function wholeNumberOrOff(minimum: number, maximum: number): z.ZodType<{ readonly limit: number | null }> {
  const expected = `a whole number from ${minimum} to ${maximum}, or off`;
  return value(expected, (written) => toLimit(written, (text) => parseWholeNumber(text, minimum, maximum)));
}

export function share(): z.ZodType<number> {
  return value('a number from 0 to 1, for example 0.2', parseShare);
}

export function yesOrNo(): z.ZodType<boolean> {
  return value('true or false', parseYesOrNo);
}

/** For timers: longer than nothing, and short enough for them. */
export function duration(): z.ZodType<number> {
  return value('a length of time such as 30s, 5m or 90 (seconds), more than 0 and at most 24 days', (written) => {
    const milliseconds = parseDuration(written);
    return milliseconds !== undefined && milliseconds > 0 && milliseconds <= longestTimerMs ? milliseconds : undefined;
  });
}

/** `off` lifts the limit; that is null. */
export function durationOrOff(): z.ZodType<{ readonly limit: number | null }> {
  return value('a length of time such as 30d, or off', (written) => toLimit(written, parseDuration));
}

/** `off` lifts the limit; that is null. */
export function byteSizeOrOff(): z.ZodType<{ readonly limit: number | null }> {
  return value('a size such as 500MiB or 2GiB, or off', (written) => toLimit(written, parseByteSize));
}

function toLimit(
  written: unknown,
  parse: (written: unknown) => number | undefined,
): { readonly limit: number | null } | undefined {
  if (written === 'off' || written === false) return { limit: null };
  const limit = parse(written);
  return limit === undefined || limit <= 0 ? undefined : { limit };
}

export function byteSize(maximum: number): z.ZodType<number> {
  return value(`a size such as 32MiB, more than 0 and at most ${maximum} bytes`, (written) => {
    const size = parseByteSize(written);
    return size !== undefined && size > 0 && size <= maximum ? size : undefined;
  });
}

export function secret(what: string): z.ZodType<Secret> {
  return value(`${what} as text in quotes, without white space or control characters in it`, parseSecret);
}

/** A secret whose place may be empty: that it is needed is said by its key being there, and it may come later. Empty is null. */
export function secretOrEmpty(what: string): z.ZodType<{ readonly secret: Secret | null }> {
  const member = value(`${what} as text in quotes, without white space or control characters in it`, (written) => {
    if (typeof written === 'string' && written.trim() === '') return { secret: null };
    const secret = parseSecret(written);
    return secret && { secret };
  });
  // `token:` with nothing behind it.
  return z.preprocess((written) => (written === null ? '' : written), member);
}

/** `user:password` of a proxy. */
export function credential(): z.ZodType<Secret> {
  return value('user:password in quotes, both of printable ASCII and neither of them empty', parseCredential);
}

/** A program and its arguments; there is no shell between. */
export function programCall(): z.ZodType<readonly [string, ...string[]]> {
  const expected = 'a list of the program and its arguments as text, for example [ "my-login", "--print-token" ]';
  return value(expected, (written): readonly [string, ...string[]] | undefined => {
    const words: readonly unknown[] = Array.isArray(written) ? written : [];
    const [program, ...others] = words.filter(isArgument);
    return program === undefined || program.trim() === '' || others.length !== words.length - 1
      ? undefined
      : [program, ...others];
  });
}

function isArgument(word: unknown): word is string {
  return typeof word === 'string' && !word.includes('\0');
}

/** Where something listens. */
export function listenAddress(): z.ZodType<ListenAddress> {
  return value('an address and a port such as 127.0.0.1:8721, or a port alone (0: any free one)', parseListen);
}

/** A host that may be reached, with a port or without. */
export function allowedHost(): z.ZodType<string> {
  return value('a host name or an address, with :port or without, no scheme, no path and no *', parseAllowedHost);
}

/** A `file://` URI. */
export function fileUri(): z.ZodType<string> {
  return text('a file:// URI of a folder, for example file:///home/me/work', (written) => {
    return URL.canParse(written) && new URL(written).protocol === 'file:' && /^file:\/\//i.test(written);
  });
}

/** Unlike a key, a header's value may hold spaces. */
export function headerValue(): z.ZodType<string> {
  return text('text in quotes that can stand in a header: ASCII on one line', (written) => /^[\x20-\x7e]+$/.test(written));
}

/** 32 bytes in base64 (or base64url). */
export function sealingKey(): z.ZodType<Secret> {
  return value('32 random bytes in base64, as `openssl rand -base64 32` prints them', (written) => {
    const key = parseSecret(written);
    return key !== undefined && isSealingKey(key.reveal()) ? key : undefined;
  });
}

export function baseUrl(): z.ZodType<string> {
  return value('an http:// or https:// address without user name, password, ? and #', parseBaseUrl);
}

export function versionedBaseUrl(): z.ZodType<string> {
  const words = "an http:// or https:// address without user name, password and #, and with no ? but Azure's ?api-version=…";
  return value(words, parseVersionedBaseUrl);
}

export function webOrigin(): z.ZodType<string> {
  return value('a web origin such as https://app.example.com, without a path', parseWebOrigin);
}
