import { isJsonObject, type JsonObject } from '../../lib/json.ts';
import { parseInteger, parseObject } from '../parse/parse-value.ts';
import { readList, readMembers, type Member, type Members } from './from-gemini-request-members.ts';

type Schema = Record<string, unknown>;

const counts: ReadonlySet<string> = new Set(['minItems', 'maxItems', 'minLength', 'maxLength', 'minProperties', 'maxProperties']);
const lists: ReadonlySet<string> = new Set(['anyOf', 'oneOf', 'allOf', 'prefixItems']);
const maps: ReadonlySet<string> = new Set(['$defs', 'defs', 'definitions', 'patternProperties']);

/**
 * Gemini's subset of OpenAPI (`parameters`, `responseSchema`) → JSON Schema: types in upper case, `nullable`, counts as text (they are int64), `propertyOrdering`, which
 * becomes the order of the properties, and `example`. What is JSON Schema already stays as it is. Throws GatewayError where a schema is no object.
 */
export function fromOpenApiSchema(source: Member): JsonObject {
  const members = readMembers(source);
  const schema: Schema = {};
  for (const [name, member] of members) Object.assign(schema, readKeyword(name, member, members));
  return members.get('nullable').value === true ? toNullable(schema) : schema;
}

function readKeyword(name: string, member: Member, members: Members): Schema {
  const { value } = member;
  switch (name) {
    case 'type':
      return toType(value);
    case 'nullable':
    case 'propertyOrdering':
      return {};
    case 'example':
      return { examples: [value] };
    case 'format':
      // Google's mark of a closed set of strings; `enum` says it already.
      return value === 'enum' ? {} : { format: value };
    case 'properties':
      return { properties: readMap(member, members.get('propertyOrdering').value) };
    default:
      return { [name]: readOther(name, member) };
  }
}

function readOther(name: string, member: Member): unknown {
  const { value } = member;
  if (counts.has(name)) return toCount(member);
  if (maps.has(name)) return readMap(member, []);
  if (lists.has(name)) return readList(member).map(fromOpenApiSchema);
  const isSchema = name === 'items' || (name === 'additionalProperties' && isJsonObject(value));
  return isSchema ? fromOpenApiSchema(member) : value;
}

function toType(value: unknown): Schema {
  const types = (Array.isArray(value) ? (value as readonly unknown[]) : [value]).map((type) =>
    typeof type === 'string' ? type.toLowerCase() : type,
  );
  const known = types.filter((type) => type !== 'type_unspecified');
  if (known.length === 0) return {};
  return { type: Array.isArray(value) ? known : known[0] };
}

function toCount({ value, path }: Member): number {
  const count = typeof value === 'string' && /^\d{1,15}$/.test(value) ? Number(value) : value;
  return parseInteger(count, path, { min: 0, max: Number.MAX_SAFE_INTEGER });
}

/** Names of properties are the client's own: they are never respelled. */
function readMap({ value, path }: Member, ordering: unknown): Schema {
  const properties = parseObject(value, path);
  const first = Array.isArray(ordering) ? ordering.filter((name) => typeof name === 'string' && name in properties) : [];
  const names = [...new Set([...first.map(String), ...Object.keys(properties)])];
  return Object.fromEntries(
    names.map((name): [string, unknown] => {
      const inner = properties[name];
      // `true` and `false` are schemas in JSON Schema.
      return [name, typeof inner === 'boolean' ? inner : fromOpenApiSchema({ value: inner, path: `${path}.${name}` })];
    }),
  );
}

function toNullable(schema: Schema): Schema {
  const nullable = { ...schema };
  if (typeof schema['type'] === 'string') nullable['type'] = [schema['type'], 'null'];
  else if (Array.isArray(schema['anyOf'])) nullable['anyOf'] = [...(schema['anyOf'] as readonly unknown[]), { type: 'null' }];
  if (Array.isArray(schema['enum']) && !schema['enum'].includes(null))
    nullable['enum'] = [...(schema['enum'] as readonly unknown[]), null];
  return nullable;
}
