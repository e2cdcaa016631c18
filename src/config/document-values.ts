import { z } from 'zod';
import type { Secret } from '../model/secret.ts';
import { parseByteSize } from './parse-byte-size.ts';
import { parseDuration } from './parse-duration.ts';
import { isSealingKey, parseBaseUrl, parsePort, parseSecret, parseWebOrigin, parseYesOrNo } from './parse-scalars.ts';

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

export function webOrigin(): z.ZodType<string> {
  return value('a web origin such as https://app.example.com, without a path', parseWebOrigin);
}
