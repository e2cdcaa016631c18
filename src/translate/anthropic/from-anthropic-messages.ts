import type { JsonObject } from '../../lib/json.ts';
import type { Loss } from '../../model/loss.ts';
import type { InputItemParam, InputMessage } from '../../protocol/responses/items.ts';
import type { InputName } from '../front-request.ts';
import { isAbsent, parseArray, parseBoolean, parseChoice, parseObject, parseString } from '../parse/parse-value.ts';
import { invalid, invalidType, toPreview } from '../parse/request-error.ts';
import { fromShownBlock, readBlocks, type NamedPart } from './from-anthropic-parts.ts';

/** `messages` in the hub's words. */
export interface ReadMessages {
  readonly input: InputItemParam[];
  /** By index in `input`. */
  readonly names: InputName[];
  readonly losses: Loss[];
}

const roles = ['user', 'assistant', 'system'] as const;
type Role = (typeof roles)[number];

/**
 * Unknown → the hub's `input`. Messages of one side in a row are one turn, as they are for Anthropic: the results of its calls come first, whatever else was said after them. Throws a
 * GatewayError with the path of the block: a call without its result, a result without its call, a block on the wrong side. Blocks that no other model understands (`server_tool_use`,
 * `mcp_tool_result` …) are left out with a loss.
 */
export function fromAnthropicMessages(value: unknown): ReadMessages {
  const reader = new MessagesReader();
  parseArray(value, 'messages', { min: 1 }).forEach((message, at) => {
    reader.add(message, `messages[${String(at)}]`);
  });
  return reader.finish();
}

/** Blocks whose absence in a later turn changes nothing: the text that was written with them is there, and every tool is loaded anyway. */
const silentBlocks: readonly string[] = [
  'web_search_tool_result',
  'tool_search_tool_result',
  'tool_addition',
  'fallback',
  'server_tool_use web_search',
  'server_tool_use tool_search_tool_bm25',
  'server_tool_use tool_search_tool_regex',
];

/** Blocks that only one side can say. */
const assistantBlocks: readonly string[] = ['thinking', 'redacted_thinking', 'tool_use'];
const userBlocks: readonly string[] = ['image', 'document', 'search_result', 'tool_result', 'tool_reference'];

interface Entry {
  readonly item: InputItemParam;
  readonly name: InputName;
}

class MessagesReader {
  readonly #entries: Entry[] = [];
  readonly #losses: Loss[] = [];
  /** Calls of the assistant's last turn that have no result yet: id → where the call stands. */
  readonly #open = new Map<string, string>();
  /** What was said beside results: it comes after them. */
  #said: Entry[] = [];
  #lastRole: Role | undefined;
  /** Texts and media of the message that is being read, not yet an item. */
  #parts: NamedPart[] = [];

  add(value: unknown, path: string): void {
    const message = parseObject(value, path);
    const role = parseChoice(message.role, `${path}.role`, roles);
    if (role === 'assistant' && this.#lastRole !== 'assistant') this.#endTurn();
    this.#lastRole = role;
    if (isAbsent(message.content)) throw invalidType(`${path}.content`, 'a string or an array', undefined);
    readBlocks(message.content, `${path}.content`, (block, type, place) => {
      this.#addBlock(block, type, { role, place, message: path });
    });
    this.#endMessage(role, path);
  }

  finish(): ReadMessages {
    this.#endTurn();
    return {
      input: this.#entries.map(({ item }) => item),
      names: this.#entries.map(({ name }) => name),
      losses: this.#losses,
    };
  }

  #addBlock(
    block: JsonObject,
    type: string,
    at: { readonly role: Role; readonly place: string; readonly message: string },
  ): void {
    const { role, place } = at;
    checkSide(type, role, place);
    switch (type) {
      case 'thinking':
        return this.#think(block, place, at.message);
      case 'redacted_thinking': {
        const sealed = parseString(block.data, `${place}.data`, { min: 1 });
        return this.#push({ type: 'reasoning', summary: [], encrypted_content: sealed }, place, at.message, {
          encrypted_content: 'data',
        });
      }
      case 'tool_use':
        return this.#call(block, place, at.message);
      case 'tool_result':
        return this.#result(block, place);
      default: {
        const shown = fromShownBlock(block, type, place, this.#losses);
        if (shown === undefined) this.#leaveOut(block, type, place);
        else this.#parts.push(...shown);
      }
    }
  }

  /** A signature that is empty or missing: this thinking came from a model that wants nothing back. */
  #think(block: JsonObject, place: string, message: string): void {
    const text = isAbsent(block.thinking) ? '' : parseString(block.thinking, `${place}.thinking`);
    const signature = isAbsent(block.signature) ? '' : parseString(block.signature, `${place}.signature`);
    if (text === '' && signature === '') return;
    this.#push(
      {
        type: 'reasoning',
        summary: text === '' ? [] : [{ type: 'summary_text', text }],
        ...(signature !== '' && { encrypted_content: signature }),
      },
      place,
      message,
      { encrypted_content: 'signature' },
    );
  }

  #call(block: JsonObject, place: string, message: string): void {
    const id = parseString(block.id, `${place}.id`, { min: 1 });
    if (this.#open.has(id)) {
      throw invalid(
        'invalid_value',
        `${place}.id`,
        `Invalid '${place}.id': \`tool_use\` ids must be unique, but got '${toPreview(id)}' twice.`,
      );
    }
    const name = parseString(block.name, `${place}.name`, { min: 1, max: 128 });
    const input = isAbsent(block.input) ? {} : parseObject(block.input, `${place}.input`);
    this.#open.set(id, place);
    this.#push({ type: 'function_call', call_id: id, name, arguments: JSON.stringify(input) }, place, message, {
      call_id: 'id',
      arguments: 'input',
    });
  }

  #result(block: JsonObject, place: string): void {
    const id = parseString(block.tool_use_id, `${place}.tool_use_id`, { min: 1 });
    if (!this.#open.delete(id)) {
      const message = `Unexpected \`tool_use_id\` found in \`tool_result\` blocks: '${toPreview(id)}'. Each \`tool_result\` block must have a corresponding \`tool_use\` block in the previous message.`;
      throw invalid('invalid_request_error', `${place}.tool_use_id`, message);
    }
    const parts: NamedPart[] = [];
    if (!isAbsent(block.content)) {
      readBlocks(block.content, `${place}.content`, (part, type, path) => {
        const shown = fromShownBlock(part, type, path, this.#losses);
        if (shown === undefined) this.#leaveOut(part, type, path);
        else parts.push(...shown);
      });
    }
    const isError = !isAbsent(block.is_error) && parseBoolean(block.is_error, `${place}.is_error`);
    const output = typeof block.content === 'string' ? block.content : parts.map(({ part }) => part);
    this.#entries.push({
      item: { type: 'function_call_output', call_id: id, output, ...(isError && { is_error: true }) },
      name: {
        item: place,
        parts: parts.map(({ path }) => path),
        members: { call_id: 'tool_use_id', output: 'content' },
      },
    });
  }

  /** An item of the assistant's turn, after what was said before it. */
  #push(item: InputItemParam, place: string, message: string, members: Readonly<Record<string, string>>): void {
    this.#endMessage('assistant', message);
    this.#entries.push({ item, name: { item: place, members } });
  }

  #leaveOut(block: JsonObject, type: string, path: string): void {
    const kind = type === 'server_tool_use' && typeof block.name === 'string' ? `${type} ${block.name}` : type;
    if (silentBlocks.includes(kind)) return;
    this.#losses.push({ path, action: 'dropped', reason: `blocks of type ${toPreview(type)} cannot be shown to this model` });
  }

  #endMessage(role: Role, path: string): void {
    const parts = this.#parts;
    if (parts.length === 0) return;
    this.#parts = [];
    const content = parts.map(({ part }) => part);
    const item: InputMessage = { type: 'message', role, content: role === 'assistant' ? content.map(toSpoken) : content };
    const entry = { item, name: { item: path, parts: parts.map((part) => part.path) } };
    (role === 'assistant' ? this.#entries : this.#said).push(entry);
  }

  /** The other side's turn is over: the assistant speaks again, or nobody does. */
  #endTurn(): void {
    this.#entries.push(...this.#said);
    this.#said = [];
    const [open] = this.#open;
    if (open === undefined) return;
    const [id, place] = open;
    const message = `\`tool_use\` ids were found without \`tool_result\` blocks immediately after: '${toPreview(id)}'. Each \`tool_use\` block must have a corresponding \`tool_result\` block in the next message.`;
    throw invalid('invalid_request_error', place, message);
  }
}

function toSpoken(part: InputMessage['content'][number]): InputMessage['content'][number] {
  return part.type === 'input_text' ? { type: 'output_text', text: part.text } : part;
}

function checkSide(type: string, role: Role, place: string): void {
  const isMisplaced = role === 'assistant' ? userBlocks.includes(type) : assistantBlocks.includes(type);
  const isTooMuch = role === 'system' && userBlocks.includes(type);
  if (!isMisplaced && !isTooMuch) return;
  const message = `Invalid '${place}.type': a message with role '${role}' cannot hold blocks of type '${type}'.`;
  throw invalid('invalid_value', `${place}.type`, message);
}
