import type { JsonObject } from '../../lib/json.ts';
import type { InputItemParam } from '../../protocol/responses/items.ts';
import type { InputName } from '../front-request.ts';
import { isAbsent, parseArray, parseChoice, parseObject, parseString } from '../parse/parse-value.ts';
import { invalid, toPreview } from '../parse/request-error.ts';
import type { ChatReading } from './chat-reading.ts';
import { isEmptyPart, parseChatContent, textLimits, type ChatContent, type ContentRole } from './from-chat-content.ts';
import { parseChatReasoning } from './from-chat-reasoning.ts';

const roles = ['system', 'developer', 'user', 'assistant', 'tool', 'function'] as const;
/** Other servers make longer ids than OpenAI's 64, and a client that changes to us still has them in its history. */
const idLimits = { min: 1, max: 512 } as const;
const nameLimits = { min: 1, max: 128 } as const;

const callMembers = { call_id: 'id', name: 'function.name', arguments: 'function.arguments' } as const;
const outputMembers = { call_id: 'tool_call_id', output: 'content' } as const;

/** `messages` → the hub's input. Whether calls and outputs fit together is the engine's question; only the old `function_call`, which has no id, is paired here. */
export function readChatMessages(reading: ChatReading, value: unknown, path: string): void {
  const reader = new MessageReader(reading);
  parseArray(value, path, { min: 1 }).forEach((member, index) => {
    reader.read(parseObject(member, `${path}[${index}]`), `${path}[${index}]`, index);
  });
  reader.finish();
}

class MessageReader {
  readonly #reading: ChatReading;
  /** A `function_call` that waits for its `function` message. */
  #open: { readonly id: string; readonly name: string; readonly place: string } | undefined;

  constructor(reading: ChatReading) {
    this.#reading = reading;
  }

  /** Message `index`, which stands at `path`. */
  read(message: JsonObject, path: string, index: number): void {
    const role = parseChoice(message['role'], `${path}.role`, roles);
    if (role !== 'function') this.finish();
    switch (role) {
      case 'system':
      case 'developer':
      case 'user':
        return this.#readMessage(message, path, role);
      case 'assistant':
        return this.#readAssistant(message, path, index);
      case 'tool':
        return this.#readToolOutput(message, path);
      case 'function':
        return this.#readFunctionOutput(message, path);
    }
  }

  /** The old API never asked for the output of a `function_call`; every server of today does. */
  finish(): void {
    const open = this.#open;
    if (open === undefined) return;
    this.#open = undefined;
    const reason = 'the function call has no answer in the messages, so an empty one was put there';
    this.#reading.losses.push({ path: open.place, action: 'emulated', reason });
    this.#add({ type: 'function_call_output', call_id: open.id, output: '' }, { item: open.place });
  }

  #add(item: InputItemParam, name: InputName): void {
    this.#reading.request.input.push(item);
    this.#reading.inputs.push(name);
  }

  #readMessage(message: JsonObject, path: string, role: 'system' | 'developer' | 'user'): void {
    this.#noteName(message, path);
    const contentRole: ContentRole = role === 'user' ? 'user' : 'system';
    const { parts, places } = parseChatContent(message['content'], `${path}.content`, contentRole);
    this.#add({ type: 'message', role, content: parts }, { item: path, parts: places });
  }

  #readAssistant(message: JsonObject, path: string, index: number): void {
    const { losses } = this.#reading;
    this.#noteName(message, path);
    if (!isAbsent(message['audio']))
      losses.push({ path: `${path}.audio`, action: 'dropped', reason: 'audio of earlier turns is not kept here' });
    for (const { item, name } of parseChatReasoning(message, path, losses)) this.#add(item, name);
    const { parts, places } = parseAnswer(message, path);
    const calls = isAbsent(message['tool_calls']) ? [] : parseArray(message['tool_calls'], `${path}.tool_calls`);
    // An answer that only called something comes back with an empty content.
    if (!parts.every(isEmptyPart))
      this.#add({ type: 'message', role: 'assistant', content: parts }, { item: path, parts: places });
    calls.forEach((call, at) => {
      this.#readCall(call, `${path}.tool_calls[${at}]`);
    });
    if (!isAbsent(message['function_call'])) this.#readFunctionCall(message['function_call'], `${path}.function_call`, index);
  }

  #readCall(value: unknown, path: string): void {
    const call = parseObject(value, path);
    const type = isAbsent(call['type']) ? 'function' : parseChoice(call['type'], `${path}.type`, ['function', 'custom']);
    const call_id = parseString(call['id'], `${path}.id`, idLimits);
    const place = `${path}.${type}`;
    const members = parseObject(call[type], place);
    const name = parseString(members['name'], `${place}.name`, nameLimits);
    if (type === 'function') {
      const text = parseString(members['arguments'], `${place}.arguments`, textLimits);
      this.#add({ type: 'function_call', call_id, name, arguments: text }, { item: path, members: callMembers });
      return;
    }
    const input = parseString(members['input'], `${place}.input`, textLimits);
    const raw = { type: 'custom_tool_call', call_id, name, input };
    this.#add({ type: 'other', itemType: 'custom_tool_call', raw }, { item: path, members: callMembers });
  }

  #readFunctionCall(value: unknown, path: string, index: number): void {
    const call = parseObject(value, path);
    const id = `call_of_message_${index}`;
    const name = parseString(call['name'], `${path}.name`, nameLimits);
    const text = parseString(call['arguments'], `${path}.arguments`, textLimits);
    this.#add({ type: 'function_call', call_id: id, name, arguments: text }, { item: path });
    this.#open = { id, name, place: path };
  }

  #readToolOutput(message: JsonObject, path: string): void {
    const call_id = parseString(message['tool_call_id'], `${path}.tool_call_id`, idLimits);
    this.#addOutput(call_id, message['content'], path);
  }

  #readFunctionOutput(message: JsonObject, path: string): void {
    const name = parseString(message['name'], `${path}.name`, nameLimits);
    const open = this.#open;
    if (open?.name !== name) {
      const text = `Messages with role 'function' must answer the 'function_call' right before them; '${toPreview(name)}' was not called there.`;
      throw invalid('invalid_request_error', `${path}.name`, text);
    }
    this.#open = undefined;
    this.#addOutput(open.id, message['content'], path);
  }

  #addOutput(call_id: string, value: unknown, path: string): void {
    const { parts, places } = parseChatContent(value, `${path}.content`, 'tool');
    const [first] = parts;
    const isText = typeof value === 'string' && first?.type === 'input_text';
    this.#add(
      { type: 'function_call_output', call_id, output: isText ? first.text : parts },
      { item: path, parts: places, members: outputMembers },
    );
  }

  /** Names of participants. */
  #noteName({ name }: JsonObject, path: string): void {
    if (isAbsent(name) || parseString(name, `${path}.name`) === '') return;
    this.#reading.losses.push({ path: `${path}.name`, action: 'dropped', reason: 'the model is told roles, not names' });
  }
}

/** What the model said: `content`, then `refusal`. An answer without content is none of the client's making. */
function parseAnswer(message: JsonObject, path: string): ChatContent {
  const { parts, places } = parseChatContent(message['content'] ?? null, `${path}.content`, 'assistant');
  if (isAbsent(message['refusal'])) return { parts, places };
  const refusal = parseString(message['refusal'], `${path}.refusal`, textLimits);
  return { parts: [...parts, { type: 'refusal', refusal }], places: [...places, `${path}.refusal`] };
}
