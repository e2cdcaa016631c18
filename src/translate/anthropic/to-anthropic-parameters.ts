import { isJsonObject, type JsonObject } from '../../lib/json.ts';
import type { Loss, Translated } from '../../model/loss.ts';
import { resolveLocalReference } from './schema-references.ts';

/**
 * JSON Schema of a function's arguments → `input_schema`. Inside it everything stays as it is; the root must say `type: object` and must not be a choice or a reference, which
 * Anthropic refuses there. Null: a function without arguments.
 */
export function toAnthropicParameters(parameters: JsonObject | null, path: string): Translated<JsonObject> {
  if (parameters === null) return { value: { type: 'object', properties: {} }, losses: [] };
  const losses: Loss[] = [];
  let root = followReference(parameters);
  for (const key of ['allOf', 'anyOf', 'oneOf']) {
    if (root[key] === undefined) continue;
    root = mergeBranches(root, key);
    const reason =
      'Anthropic takes no choice at the root of a schema; its properties were put together and it stands in the description';
    losses.push({ path: `${path}.${key}`, action: 'approximated', reason });
  }
  return { value: root['type'] === 'object' ? root : { ...root, type: 'object' }, losses };
}

function followReference(root: JsonObject): JsonObject {
  const { $ref: reference, ...rest } = root;
  if (typeof reference !== 'string') return root;
  const target = resolveLocalReference(root, reference);
  return isJsonObject(target) && target !== root && typeof target['$ref'] !== 'string' ? { ...rest, ...target } : rest;
}

function mergeBranches(root: JsonObject, key: string): JsonObject {
  const { [key]: written, ...rest } = root;
  const list: readonly unknown[] = Array.isArray(written) ? written : [];
  const branches = list.filter(isJsonObject).map((branch) => {
    const target = typeof branch['$ref'] === 'string' ? resolveLocalReference(root, branch['$ref']) : branch;
    return isJsonObject(target) ? target : {};
  });
  const properties = Object.assign({}, ...branches.map(propertiesOf), propertiesOf(rest)) as JsonObject;
  const required = [...new Set([...requiredOf(rest), ...requiredByAll(branches, key)])];
  const text = JSON.stringify(written);
  const hint = text.length <= 2000 ? `${key}: ${text}` : '';
  const description = [rest['description'], hint].filter((part) => typeof part === 'string' && part !== '').join(' ');
  return {
    ...rest,
    properties,
    ...(required.length > 0 && { required }),
    ...(description !== '' && { description }),
  };
}

/** Of a choice only what every branch demands is demanded; of a conjunction everything. */
function requiredByAll(branches: readonly JsonObject[], key: string): string[] {
  const lists = branches.map(requiredOf);
  if (key === 'allOf') return lists.flat();
  const [first = [], ...others] = lists;
  return first.filter((name) => others.every((list) => list.includes(name)));
}

function propertiesOf({ properties }: JsonObject): JsonObject {
  return isJsonObject(properties) ? properties : {};
}

function requiredOf({ required }: JsonObject): string[] {
  return Array.isArray(required) ? required.filter((name) => typeof name === 'string') : [];
}
