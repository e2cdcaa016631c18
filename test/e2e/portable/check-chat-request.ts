import { isJsonObject, parseJson, type JsonObject } from '../../../src/lib/json.ts';
import { objectOf, objectsOf, textOf } from '../../doubles/gemini-model/gemini-words.ts';

const roles = ['system', 'developer', 'user', 'assistant', 'tool'];
const toolName = /^[a-zA-Z0-9_-]{1,64}$/;

/** What OpenAI and strict servers of its dialect refuse in a chat request (backends.md C); empty when all is well. */
export function checkChatRequest(body: JsonObject): string[] {
  const messages = objectsOf(body['messages']);
  return [
    ...(messages.length === 0 ? ["Invalid 'messages': empty array."] : []),
    ...messages.flatMap((message, at) => checkMessage(message, `messages[${at}]`)),
    ...checkPairs(messages),
    ...checkTools(objectsOf(body['tools']).map((tool) => objectOf(tool['function']))),
  ];
}

function checkMessage(message: JsonObject, path: string): string[] {
  const role = textOf(message['role']);
  const { content } = message;
  if (!roles.includes(role)) return [`Invalid value: '${role}'. ${path}.role`];
  if (role === 'assistant') return checkAssistant(message, path);
  if (role === 'tool') return isText(content) ? [] : [`${path}.content: tool messages carry only text`];
  return role === 'user' ? checkUserContent(content, path) : isText(content) ? [] : [`${path}.content: only text`];
}

function checkAssistant({ content, tool_calls }: JsonObject, path: string): string[] {
  const calls = objectsOf(tool_calls);
  const isEmpty = (content === null || content === undefined || content === '') && calls.length === 0;
  return [
    ...(isEmpty ? [`${path}: content or tool_calls expected`] : []),
    ...(tool_calls !== undefined && calls.length === 0 ? [`${path}.tool_calls: empty array`] : []),
    ...calls.flatMap((call, at) => checkCall(call, `${path}.tool_calls[${at}]`)),
  ];
}

function checkUserContent(content: unknown, path: string): string[] {
  if (typeof content === 'string') return content === '' ? [`${path}.content: empty`] : [];
  const parts = objectsOf(content);
  if (parts.length === 0) return [`${path}.content: empty`];
  return parts.flatMap((part, at) => {
    if (part['type'] === 'text') return textOf(part['text']) === '' ? [`${path}.content[${at}].text: empty`] : [];
    if (part['type'] !== 'image_url') return [`${path}.content[${at}].type: ${textOf(part['type'])}`];
    const url = textOf(objectOf(part['image_url'])['url']);
    return /^data:image\/(png|jpeg|gif|webp);base64,.+|^https?:/.test(url) ? [] : [`${path}.content[${at}]: not an image`];
  });
}

function isText(content: unknown): boolean {
  return typeof content === 'string' || objectsOf(content).every(({ type }) => type === 'text');
}

function checkCall(call: JsonObject, path: string): string[] {
  const { name, arguments: args } = objectOf(call['function']);
  const id = textOf(call['id']);
  return [
    ...(id !== '' && id.length <= 40 ? [] : [`Invalid '${path}.id': string too long. Expected a string with maximum length 40.`]),
    ...(toolName.test(textOf(name)) ? [] : [`Invalid '${path}.function.name': string does not match pattern.`]),
    ...(typeof args === 'string' && isJsonObject(parseJson(args)) ? [] : [`${path}.function.arguments: not a JSON object`]),
  ];
}

/** Tool messages follow directly the message with their calls, each call once. */
function checkPairs(messages: readonly JsonObject[]): string[] {
  const faults: string[] = [];
  const seen = new Set<string>();
  let due = new Set<string>();
  const settle = (at: number): void => {
    for (const id of due)
      faults.push(`An assistant message with 'tool_calls' must be followed by tool messages. (messages[${at}], ${id})`);
    due = new Set();
  };
  messages.forEach((message, at) => {
    if (message['role'] === 'tool') {
      const id = textOf(message['tool_call_id']);
      if (!due.delete(id))
        faults.push(`messages[${at}] with role 'tool' must be a response to a preceding message with 'tool_calls'.`);
      return;
    }
    settle(at);
    for (const { id } of objectsOf(message['tool_calls'])) {
      if (seen.has(textOf(id))) faults.push(`messages[${at}].tool_calls: duplicate id`);
      seen.add(textOf(id));
      due.add(textOf(id));
    }
  });
  settle(messages.length);
  return faults;
}

function checkTools(tools: readonly JsonObject[]): string[] {
  const names = tools.map(({ name }) => textOf(name));
  return [
    ...names.filter((name) => !toolName.test(name)).map((name) => `Invalid 'tools[].function.name': ${name}`),
    ...(new Set(names).size < names.length ? ['tools: names must be unique'] : []),
  ];
}
