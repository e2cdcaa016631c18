import { GatewayError, type ErrorCode } from '../../model/errors.ts';

/** How much of a client's value an error repeats: enough to recognise it, never a megabyte. */
const previewLength = 64;

/** A client's text, short enough for a message. */
export function toPreview(text: string): string {
  return text.length > previewLength ? `${text.slice(0, previewLength)}…` : text;
}

/** `['a', 'b', 'c']` → `'a', 'b', and 'c'`, as OpenAI lists values. */
function toList(values: readonly string[]): string {
  const quoted = values.map((value) => `'${value}'`);
  const last = quoted.pop() ?? '';
  if (quoted.length === 0) return last;
  return quoted.length === 1 ? `${quoted.join()} and ${last}` : `${quoted.join(', ')}, and ${last}`;
}

/** A field that must be there is not: 400 `missing_required_parameter`. `hint` is one more sentence that says how to repair it. */
export function missingParameter(path: string, hint = ''): GatewayError {
  const message = `Missing required parameter: '${path}'.`;
  return new GatewayError('missing_required_parameter', hint === '' ? message : `${message} ${hint}`, { param: path });
}

/** The value has the wrong JSON type: 400 `invalid_type`, or `missing_required_parameter` when there is no value at all. */
export function invalidType(path: string, expected: string, value: unknown): GatewayError {
  if (value === undefined) return missingParameter(path);
  const message = `Invalid type for '${path}': expected ${expected}, but got ${describeType(value)} instead.`;
  return new GatewayError('invalid_type', message, { param: path });
}

/** The value is none of those we know: 400 `invalid_value` with the list. */
export function invalidChoice(path: string, value: string, choices: readonly string[]): GatewayError {
  const message = `Invalid value: '${toPreview(value)}'. Supported values are: ${toList(choices)}.`;
  return new GatewayError('invalid_value', message, { param: path });
}

/** Any other 400. */
export function invalid(code: ErrorCode, path: string, message: string): GatewayError {
  return new GatewayError(code, message, { param: path });
}

function describeType(value: unknown): string {
  if (value === null) return 'null';
  if (Array.isArray(value)) return 'an array';
  if (typeof value === 'number') return Number.isInteger(value) ? 'an integer' : 'a decimal';
  return typeof value === 'object' ? 'an object' : `a ${typeof value}`;
}
