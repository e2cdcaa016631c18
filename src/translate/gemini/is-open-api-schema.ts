import { isJsonObject } from '../../lib/json.ts';
import { listOf, membersOf, type Members } from './from-gemini-request-members.ts';

/** Keywords of JSON Schema that are none of Gemini's subset of OpenAPI (backends.md B.4): it answers 400 to them. */
const foreign: ReadonlySet<string> = new Set([
  ...['$schema', '$id', '$ref', '$anchor', '$comment', '$defs', 'definitions', 'additionalProperties', 'patternProperties'],
  ...['propertyNames', 'unevaluatedProperties', 'unevaluatedItems', 'dependentRequired', 'dependentSchemas', 'dependencies'],
  ...['oneOf', 'allOf', 'not', 'if', 'then', 'else', 'const', 'examples', 'prefixItems', 'contains', 'uniqueItems'],
  ...['exclusiveMinimum', 'exclusiveMaximum', 'multipleOf', 'contentEncoding', 'contentMediaType', 'contentSchema'],
]);

/** Whether `parameters` or `responseSchema` hold to Gemini's subset of OpenAPI. Keywords that nobody here knows are the server's matter. */
export function isOpenApiSchema(value: unknown): boolean {
  const schema = membersOf(value);
  if (schema === null || [...schema].some(([name]) => foreign.has(name))) return false;
  if (!takesValues(schema)) return false;
  const properties = schema.get('properties').value;
  const inner = [
    ...(isJsonObject(properties) ? Object.values(properties) : []),
    ...listOf(schema.get('items').value),
    ...listOf(schema.get('anyOf').value),
  ];
  return inner.every(isOpenApiSchema);
}

/** One type; of texts only two formats and only texts to choose from. */
function takesValues(schema: Members): boolean {
  const type = schema.get('type').value;
  if (Array.isArray(type)) return false;
  if (listOf(schema.get('enum').value).some((choice) => typeof choice !== 'string')) return false;
  const format = schema.get('format').value;
  const isText = typeof type === 'string' && type.toLowerCase() === 'string';
  return !isText || format === undefined || format === 'enum' || format === 'date-time';
}
