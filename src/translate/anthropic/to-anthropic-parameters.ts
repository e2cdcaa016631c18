import { isJsonObject, type JsonObject } from '../../lib/json.ts';
import type { Loss, Translated } from '../../model/loss.ts';
import { resolveLocalReference } from './schema-references.ts';

/** `isWhole`: every argument is still declared. */
type AnthropicParameters = Translated<JsonObject> & { readonly isWhole: boolean };

/**
 * JSON Schema of a function's arguments → `input_schema`. Inside it everything stays as it is; the root must say `type: object`, must not be a choice or a reference, and its properties have
 * plain names: anything else makes Anthropic refuse the whole request. Null: a function without arguments.
 */
export function toAnthropicParameters(parameters: JsonObject | null, path: string): AnthropicParameters {
  if (parameters === null) return { value: { type: 'object', properties: {} }, losses: [], isWhole: true };
  const losses: Loss[] = [];
  let root = followReference(parameters);
  for (const key of ['allOf', 'anyOf', 'oneOf']) {
    if (root[key] === undefined) continue;
    root = mergeBranches(root, key);
    const reason =
      'Anthropic takes no choice at the root of a schema; its properties were put together and it stands in the description';
    losses.push({ path: `${path}.${key}`, action: 'approximated', reason });
  }
  const named = withPlainNames(root);
  if (named !== root) {
    const reason = 'Anthropic takes only letters, digits and _ . - in names of arguments; the others stand in the description';
    losses.push({ path: `${path}.properties`, action: 'approximated', reason });
  }
  return { value: named['type'] === 'object' ? named : { ...named, type: 'object' }, losses, isWhole: named === root };
}

const plainName = /^[\w.-]{1,64}$/;

/** What is not declared can still be passed, so the model is told of it; the object must not be closed then. */
function withPlainNames(root: JsonObject): JsonObject {
  const odd = Object.entries(propertiesOf(root)).filter(([name]) => !plainName.test(name));
  if (odd.length === 0) return root;
  const { additionalProperties, ...rest } = root;
  const isOdd = (name: string): boolean => odd.some(([one]) => one === name);
  const required = requiredOf(root)
    .filter(isOdd)
    .map((name) => JSON.stringify(name));
  const text = JSON.stringify(Object.fromEntries(odd));
  const shown = text.length <= 2000 ? text : odd.map(([name]) => JSON.stringify(name)).join(', ');
  const hint = `Also takes these arguments: ${shown}${required.length === 0 ? '' : ` Of them required: ${required.join(', ')}.`}`;
  return {
    ...rest,
    ...(additionalProperties !== undefined && additionalProperties !== false && { additionalProperties }),
    properties: Object.fromEntries(Object.entries(propertiesOf(root)).filter(([name]) => !isOdd(name))),
    ...(rest['required'] !== undefined && { required: requiredOf(root).filter((name) => !isOdd(name)) }),
    description: joinTexts(rest['description'], hint),
  };
}

function joinTexts(...texts: readonly unknown[]): string {
  return texts.filter((text) => typeof text === 'string' && text !== '').join(' ');
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
  const description = joinTexts(rest['description'], hint);
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
