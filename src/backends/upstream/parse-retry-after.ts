const daySeconds = 86_400;

/**
 * Seconds to wait before the next try, from `retry-after-ms` (OpenAI) or `retry-after` (seconds or HTTP date, RFC 9110 §10.2.3); whole, at most a day.
 * Undefined when there is none, or it is nonsense, negative or over. `now`: Unix milliseconds.
 */
export function parseRetryAfter(headers: Readonly<Record<string, string>>, now: number): number | undefined {
  const milliseconds = parseNumber(headers['retry-after-ms']);
  if (milliseconds !== undefined) return toWholeSeconds(milliseconds / 1000);
  const text = headers['retry-after']?.trim();
  const seconds = parseNumber(text);
  if (seconds !== undefined) return toWholeSeconds(seconds);
  // Only dates that name their weekday, as HTTP writes them: Date.parse takes nearly anything, "-1" for a year.
  if (text === undefined || !/^[A-Z][a-z]{2,8}[, ]/.test(text)) return undefined;
  const left = Date.parse(text) - now;
  return left > 0 ? toWholeSeconds(left / 1000) : undefined;
}

/** A duration as `retry-after` may carry it: whole seconds, rounded up, at most a day. */
export function toWholeSeconds(seconds: number): number {
  return Math.min(Math.ceil(seconds), daySeconds);
}

function parseNumber(text: string | undefined): number | undefined {
  return text !== undefined && /^\s*\d+(\.\d+)?(e\d+)?\s*$/i.test(text) ? Number(text) : undefined;
}
