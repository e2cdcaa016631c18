import type { JsonObject } from '../../../src/lib/json.ts';
import { objectsOf, textOf } from '../../doubles/gemini-model/gemini-words.ts';
import type { IssuedState } from './issued-state.ts';

const toolName = /^[a-zA-Z0-9_-]{1,64}$/;
const partsOf: Readonly<Record<string, readonly string[]>> = {
  user: ['input_text', 'input_image', 'input_file'],
  system: ['input_text'],
  developer: ['input_text'],
  assistant: ['output_text', 'refusal'],
};

/** What OpenAI refuses in a stateless Responses request (protocol.md §1); empty when all is well. */
export function checkResponsesRequest(body: JsonObject, issued: IssuedState): string[] {
  const input = objectsOf(body['input']);
  const names = objectsOf(body['tools']).map(({ name }) => textOf(name));
  return [
    ...(body['store'] === false ? [] : ['store: this server keeps nothing for others']),
    ...(body['previous_response_id'] === undefined ? [] : ['Previous response not found.']),
    ...(input.length === 0 ? ["Missing required parameter: 'input'."] : []),
    ...input.flatMap((item, at) => checkItem(item, { path: `input[${at}]`, issued })),
    ...checkReasoning(input),
    ...checkPairs(input),
    ...names.filter((name) => !toolName.test(name)).map((name) => `Invalid 'tools[].name': ${name}`),
    ...(new Set(names).size < names.length ? ['tools: names must be unique'] : []),
  ];
}

function checkItem(item: JsonObject, { path, issued }: { path: string; issued: IssuedState }): string[] {
  switch (item['type'] ?? 'message') {
    case 'message':
      return checkMessage(item, path);
    case 'reasoning':
      return issued.isKnown(textOf(item['encrypted_content']))
        ? []
        : [`The encrypted content for ${path} could not be verified.`];
    case 'function_call':
      return [
        ...checkCallId(item, path),
        ...(toolName.test(textOf(item['name'])) ? [] : [`Invalid '${path}.name': string does not match pattern.`]),
        ...(typeof item['arguments'] === 'string' ? [] : [`Invalid type for '${path}.arguments'`]),
        ...(item['id'] === undefined ? [] : [`Item with id '${textOf(item['id'])}' not found.`]),
      ];
    case 'function_call_output':
      return [
        ...checkCallId(item, path),
        ...(typeof item['output'] === 'string' ? [] : checkParts(objectsOf(item['output']), 'user', `${path}.output`)),
      ];
    default:
      return [`Invalid value: '${textOf(item['type'])}'. ${path}.type`];
  }
}

function checkMessage({ role, content }: JsonObject, path: string): string[] {
  if (partsOf[textOf(role)] === undefined) return [`Invalid value: '${textOf(role)}'. ${path}.role`];
  if (typeof content === 'string') return content === '' ? [`${path}.content: empty`] : [];
  return checkParts(objectsOf(content), textOf(role), `${path}.content`);
}

function checkParts(parts: readonly JsonObject[], role: string, path: string): string[] {
  if (parts.length === 0) return [`${path}: empty`];
  return parts.flatMap(({ type, image_url }, at) => {
    if (partsOf[role]?.includes(textOf(type)) !== true) return [`Invalid value: '${textOf(type)}'. ${path}[${at}].type`];
    const isImage = type === 'input_image';
    return isImage && !/^data:image\/(png|jpeg|gif|webp);base64,.|^https?:/.test(textOf(image_url))
      ? [`${path}[${at}]: not an image`]
      : [];
  });
}

function checkCallId({ call_id }: JsonObject, path: string): string[] {
  const { length } = textOf(call_id);
  return length > 0 && length <= 64 ? [] : [`Invalid '${path}.call_id': expected a string with maximum length 64.`];
}

/** Reasoning stands in front of what it led to. */
function checkReasoning(input: readonly JsonObject[]): string[] {
  return input.flatMap((item, at) => {
    if (item['type'] !== 'reasoning') return [];
    const next = input.slice(at + 1).find(({ type }) => type !== 'reasoning');
    const isFollowed = next?.['type'] === 'function_call' || next?.['role'] === 'assistant';
    return isFollowed ? [] : [`Item input[${at}] of type 'reasoning' was provided without its required following item.`];
  });
}

function checkPairs(input: readonly JsonObject[]): string[] {
  const faults: string[] = [];
  const seen = new Set<string>();
  const open = new Set<string>();
  for (const { type, call_id } of input) {
    const id = textOf(call_id);
    if (type === 'function_call') {
      if (seen.has(id)) faults.push(`Duplicate call_id ${id}.`);
      seen.add(id);
      open.add(id);
    }
    if (type === 'function_call_output' && !open.delete(id))
      faults.push(`No tool call found for function call output with call_id ${id}.`);
  }
  return [...faults, ...[...open].map((id) => `No tool output found for function call ${id}.`)];
}
