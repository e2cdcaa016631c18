import { isJsonObject, type JsonObject } from '../../../src/lib/json.ts';
import { objectOf, objectsOf, textOf } from '../../doubles/gemini-model/gemini-words.ts';
import type { IssuedState } from './issued-state.ts';

const imageTypes = ['image/png', 'image/jpeg', 'image/gif', 'image/webp'];
const blocksOf: Readonly<Record<string, readonly string[]>> = {
  user: ['text', 'image', 'document', 'tool_result'],
  assistant: ['text', 'thinking', 'redacted_thinking', 'tool_use'],
};

/** What Anthropic refuses in a Messages request, in words near to its own (backends.md D); empty when all is well. */
export function checkAnthropicRequest(body: JsonObject, issued: IssuedState): string[] {
  const messages = objectsOf(body['messages']).map(({ role, content }) => ({ role: textOf(role), blocks: toBlocks(content) }));
  const budget = objectOf(body['thinking'])['budget_tokens'];
  return [
    ...(typeof body['max_tokens'] === 'number' ? [] : ['max_tokens: Field required']),
    ...(typeof budget === 'number' && !(budget >= 1024 && budget < Number(body['max_tokens']))
      ? ['thinking.budget_tokens: must be at least 1024 and less than max_tokens']
      : []),
    ...(messages.length === 0 ? ['messages: at least one message is required'] : []),
    ...messages.flatMap(({ role, blocks }, at) => [
      ...checkRole(role, at),
      ...blocks.flatMap((block, index) => checkBlock(block, role, { path: `messages.${at}.content.${index}`, issued })),
      ...(blocks.length === 0 ? [`messages.${at}: all messages must have non-empty content`] : []),
    ]),
    ...checkPairs(messages.map(({ blocks }) => blocks)),
    ...checkThinking(body, messages),
    ...checkTools(body),
  ];
}

function toBlocks(content: unknown): readonly JsonObject[] {
  return typeof content === 'string' ? [{ type: 'text', text: content }] : objectsOf(content);
}

function checkRole(role: string, at: number): string[] {
  const wanted = at % 2 === 0 ? 'user' : 'assistant';
  return role === wanted ? [] : [`messages.${at}: roles must alternate between "user" and "assistant", but found "${role}"`];
}

function checkBlock(block: JsonObject, role: string, { path, issued }: { path: string; issued: IssuedState }): string[] {
  const type = textOf(block['type']);
  if (blocksOf[role]?.includes(type) !== true) return [`${path}: a ${role} message cannot have a ${type} block`];
  switch (type) {
    case 'text':
      return textOf(block['text']).trim() === '' ? [`${path}: text content blocks must be non-empty`] : [];
    case 'thinking':
      return issued.checkThinking(textOf(block['signature']), textOf(block['thinking']))
        ? []
        : [`${path}: Invalid \`signature\` in \`thinking\` block`];
    case 'redacted_thinking':
      return issued.isKnown(textOf(block['data'])) ? [] : [`${path}: Invalid \`data\` in \`redacted_thinking\` block`];
    case 'image':
      return checkImage(objectOf(block['source']), path);
    case 'tool_use':
      return [
        ...(/^[a-zA-Z0-9_-]{1,64}$/.test(textOf(block['id']))
          ? []
          : [`${path}.id: String should match pattern '^[a-zA-Z0-9_-]+$'`]),
        ...(/^[a-zA-Z0-9_-]{1,128}$/.test(textOf(block['name'])) ? [] : [`${path}.name: not a tool name`]),
        ...(isJsonObject(block['input']) ? [] : [`${path}.input: Input should be a valid dictionary`]),
      ];
    case 'tool_result':
      return toBlocks(block['content'] ?? []).flatMap((inner, at) =>
        ['text', 'image', 'document'].includes(textOf(inner['type']))
          ? checkBlock(inner, 'user', { path: `${path}.content.${at}`, issued })
          : [`${path}.content.${at}: unknown type`],
      );
    default:
      return [];
  }
}

function checkImage(source: JsonObject, path: string): string[] {
  const isFine = source['type'] === 'url' || (imageTypes.includes(textOf(source['media_type'])) && textOf(source['data']) !== '');
  return isFine ? [] : [`${path}.source: not an image`];
}

/** Every `tool_use` is answered once, in the very next message, whose first blocks the results are. */
function checkPairs(messages: readonly (readonly JsonObject[])[]): string[] {
  const seen = new Set<string>();
  return messages.flatMap((blocks, at) => {
    const due = idsOf(messages[at - 1] ?? [], 'tool_use', 'id');
    const given = idsOf(blocks, 'tool_result', 'tool_use_id');
    const twice = idsOf(blocks, 'tool_use', 'id').filter((id) => seen.has(id));
    for (const id of idsOf(blocks, 'tool_use', 'id')) seen.add(id);
    const firstOther = blocks.findIndex(({ type }) => type !== 'tool_result');
    return [
      ...twice.map((id) => `messages.${at}: \`tool_use\` ids must be unique (${id})`),
      ...due
        .filter((id) => !given.includes(id))
        .map((id) => `messages.${at - 1}: \`tool_use\` ids were found without \`tool_result\` blocks immediately after: ${id}`),
      ...given
        .filter((id) => !due.includes(id))
        .map((id) => `messages.${at}: unexpected \`tool_use_id\` found in \`tool_result\` blocks: ${id}`),
      ...(new Set(given).size < given.length ? [`messages.${at}: each tool_use must have a single result`] : []),
      ...(firstOther >= 0 && firstOther < given.length ? [`messages.${at}: tool_result blocks must come first`] : []),
      ...(at === messages.length - 1 && idsOf(blocks, 'tool_use', 'id').length > 0
        ? [`messages.${at}: \`tool_use\` without \`tool_result\``]
        : []),
    ];
  });
}

function idsOf(blocks: readonly JsonObject[], type: string, member: string): string[] {
  return blocks.filter((block) => block['type'] === type).map((block) => textOf(block[member]));
}

/** Thinking never ends a message; with it on, an open tool loop begins with it, nothing is put into the model's mouth, and no call is demanded. */
function checkThinking(
  body: JsonObject,
  messages: readonly { readonly role: string; readonly blocks: readonly JsonObject[] }[],
): string[] {
  const isThought = ({ type }: JsonObject): boolean => type === 'thinking' || type === 'redacted_thinking';
  const faults = messages.flatMap(({ blocks }, at) => {
    const last = blocks.at(-1);
    return last !== undefined && isThought(last)
      ? [`messages.${at}: The final block in an assistant message cannot be \`thinking\`.`]
      : [];
  });
  if (objectOf(body['thinking'])['type'] !== 'enabled') return faults;
  const loop = messages.at(-1)?.blocks.some(({ type }) => type === 'tool_result') === true ? loopStart(messages) : undefined;
  if (loop !== undefined && !loop.some(isThought))
    faults.push(
      'Expected `thinking` or `redacted_thinking`, but found `tool_use`. A final `assistant` message must start with it.',
    );
  if (messages.at(-1)?.role === 'assistant')
    faults.push('messages: the final message cannot be of the assistant while thinking is on');
  if (['any', 'tool'].includes(textOf(objectOf(body['tool_choice'])['type'])))
    faults.push('Thinking may not be enabled when tool_choice forces tool use.');
  if (body['temperature'] !== undefined && body['temperature'] !== 1) faults.push('`temperature` may only be set to 1');
  return faults;
}

/** The message with which the model began the steps of calls and results at the end. */
function loopStart(messages: readonly { readonly blocks: readonly JsonObject[] }[]): readonly JsonObject[] | undefined {
  let start: readonly JsonObject[] | undefined;
  for (let at = messages.length - 1; at > 0; at -= 2) {
    if (messages[at]?.blocks.some(({ type }) => type === 'tool_result') !== true) break;
    start = messages[at - 1]?.blocks;
  }
  return start;
}

function checkTools(body: JsonObject): string[] {
  const tools = objectsOf(body['tools']);
  const names = tools.map(({ name }) => textOf(name));
  return [
    ...names.filter((name) => !/^[a-zA-Z0-9_-]{1,128}$/.test(name)).map((name) => `tools: not a tool name: ${name}`),
    ...(new Set(names).size < names.length ? ['tools: Tool names must be unique.'] : []),
    ...tools.flatMap(({ input_schema }) => (objectOf(input_schema)['type'] === 'object' ? [] : ['tools: input_schema.type'])),
  ];
}
