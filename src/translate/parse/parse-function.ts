import { isJsonObject, type JsonObject } from '../../lib/json.ts';
import { invalid, toPreview } from './request-error.ts';
import { parseObject, parseString } from './parse-value.ts';

const functionName = { min: 1, max: 128, pattern: /^[a-zA-Z0-9_-]+$/ } as const;

/** Names of functions and formats (OpenAI; Open Responses stops at 64). */
export function parseFunctionName(value: unknown, path: string): string {
  return parseString(value, path, functionName);
}

/** JSON Schema of a function's arguments. Only the root is looked at: what a backend's own schema language cannot say is found by its schema compiler. */
export function parseFunctionParameters(value: unknown, path: string, name: string): JsonObject {
  const schema = parseObject(value, path);
  const { type, properties } = schema;
  if (type !== undefined && type !== 'object') {
    const got = typeof type === 'string' ? `'${toPreview(type)}'` : 'something else';
    throw invalid(
      'invalid_function_parameters',
      path,
      `Invalid schema for function '${name}': schema must be a JSON Schema of 'type: "object"', got ${got}.`,
    );
  }
  if (properties !== undefined && !isJsonObject(properties)) {
    throw invalid('invalid_function_parameters', path, `Invalid schema for function '${name}': 'properties' must be an object.`);
  }
  return schema;
}
