import type { JsonObject } from '../../lib/json.ts';
import type { Loss } from '../../model/loss.ts';
import type { CreateResponseRequest, TextFormatParam } from '../../protocol/responses/request.ts';
import type { FrontRequest } from '../front-request.ts';
import { newCreateRequest } from '../parse/new-create-request.ts';
import { toUnknownParameter } from '../parse/note-unknown-keys.ts';
import {
  isAbsent,
  parseArray,
  parseBoolean,
  parseChoice,
  parseInteger,
  parseNumber,
  parseObject,
  parseString,
} from '../parse/parse-value.ts';
import { invalidType, missingParameter } from '../parse/request-error.ts';
import { checkThread, isSettled, noteUnserved } from './from-anthropic-betas.ts';
import { fromAnthropicMessages } from './from-anthropic-messages.ts';
import { fromAnthropicThinking } from './from-anthropic-thinking.ts';
import { fromAnthropicToolChoice, fromAnthropicTools } from './from-anthropic-tools.ts';

type ReadField = (request: CreateResponseRequest, value: unknown, losses: Loss[]) => void;

const count = { min: 0, max: Number.MAX_SAFE_INTEGER } as const;
/** Anthropic's range; wider than that of no other model. */
const share = { min: 0, max: 1 } as const;

/** Fields that stand by themselves. */
const simpleFields: ReadonlyMap<string, ReadField> = new Map<string, ReadField>([
  ['model', (request, value) => (request.model = parseString(value, 'model', { min: 1 }))],
  ['max_tokens', fromMaxTokens],
  ['system', (request, value) => (request.instructions = fromSystem(value))],
  ['stop_sequences', (request, value) => (request.stop = fromStopSequences(value))],
  ['stream', (request, value) => (request.stream = parseBoolean(value, 'stream'))],
  ['temperature', (request, value) => (request.temperature = parseNumber(value, 'temperature', share))],
  ['top_p', (request, value) => (request.top_p = parseNumber(value, 'top_p', share))],
  // 0 is no limit.
  ['top_k', (request, value) => (request.top_k = parseInteger(value, 'top_k', count) || null)],
  ['metadata', fromMetadata],
]);

/** Fields that are read together. */
const joinedFields: readonly string[] = ['messages', 'tools', 'tool_choice', 'thinking', 'output_config', 'output_format'];

/**
 * Body of `POST /v1/messages`, parsed JSON → the hub's request (backends.md D). Throws GatewayError with the client's own `param` for what is wrong. Null counts as absent. `cache_control` and
 * other hints that change no answer are accepted in silence, unknown fields with a loss. Nothing in the body is changed; schemas are shared with it.
 */
export function fromAnthropicRequest(body: unknown): FrontRequest<null> {
  return readRequest(parseObject(body, 'body'), ['model', 'max_tokens', 'messages']);
}

/** Body of `POST /v1/messages/count_tokens`: the same without what concerns the answer only. */
export function fromAnthropicCount(body: unknown): FrontRequest<null> {
  return readRequest(parseObject(body, 'body'), ['model', 'messages']);
}

function readRequest(fields: JsonObject, required: readonly string[]): FrontRequest<null> {
  checkThread(fields.thread);
  const missing = required.find((name) => isAbsent(fields[name]));
  if (missing !== undefined) throw missingParameter(missing);
  const request: CreateResponseRequest = { ...newCreateRequest(), store: false };
  const losses: Loss[] = [];
  for (const [name, value] of Object.entries(fields)) {
    if (joinedFields.includes(name) || isAbsent(value)) continue;
    const read = simpleFields.get(name);
    if (read !== undefined) read(request, value, losses);
    else if (!isSettled(name) && !noteUnserved(name, value, losses))
      losses.push(toUnknownParameter(name, 'the Messages API has no such parameter'));
  }
  const messages = fromAnthropicMessages(fields.messages);
  request.input = messages.input;
  const names = new Map(fieldNames);
  readTools(request, fields, names);
  readOutput(request, fields, { losses, names });
  return { request, losses: [...losses, ...messages.losses], names: { inputs: messages.names, fields: names }, facts: null };
}

/** Hub path → the client's, where they differ. */
const fieldNames: readonly (readonly [string, string])[] = [
  ['input', 'messages'],
  ['instructions', 'system'],
  ['max_output_tokens', 'max_tokens'],
  ['stop', 'stop_sequences'],
  ['user', 'metadata.user_id'],
  ['safety_identifier', 'metadata.user_id'],
  ['parallel_tool_calls', 'tool_choice.disable_parallel_tool_use'],
  ['reasoning', 'thinking'],
  ['reasoning.summary', 'thinking.display'],
  ['thinking_budget', 'thinking.budget_tokens'],
  ['text.format', 'output_config.format'],
];

function readTools(request: CreateResponseRequest, { tools, tool_choice }: JsonObject, names: Map<string, string>): void {
  if (!isAbsent(tools)) request.tools = fromAnthropicTools(tools, names);
  if (!isAbsent(tool_choice)) Object.assign(request, fromAnthropicToolChoice(tool_choice, request.tools));
}

/** `thinking` and `output_config` share the effort; `output_format` is the beta's name for `output_config.format`. */
function readOutput(
  request: CreateResponseRequest,
  { thinking, output_config, output_format }: JsonObject,
  { losses, names }: { readonly losses: Loss[]; readonly names: Map<string, string> },
): void {
  const config = isAbsent(output_config) ? {} : parseObject(output_config, 'output_config');
  Object.assign(request, fromAnthropicThinking(thinking, config.effort, losses));
  names.set('reasoning.effort', effortName(config.effort, thinking));
  if (!isAbsent(config.format)) request.text.format = fromFormat(config.format, 'output_config.format');
  else if (!isAbsent(output_format)) {
    request.text.format = fromFormat(output_format, 'output_format');
    names.set('text.format', 'output_format');
  }
}

/** Where the client said how much to think. */
function effortName(effort: unknown, thinking: unknown): string {
  if (!isAbsent(effort)) return 'output_config.effort';
  return isAbsent(thinking) ? 'thinking' : 'thinking.type';
}

function fromFormat(value: unknown, path: string): TextFormatParam {
  const format = parseObject(value, path);
  parseChoice(format.type, `${path}.type`, ['json_schema']);
  return {
    type: 'json_schema',
    // Anthropic's formats have no name, other servers demand one.
    name: 'output',
    description: null,
    schema: parseObject(format.schema, `${path}.schema`),
    strict: true,
  };
}

/** Claude Code tells Anthropic's billing who it is, in a block of its own at the very beginning. It is no instruction, and differs from request to request: no server could cache what comes after it. */
const billingLine = /^x-anthropic-billing-header:[^\n]*\s*$/;

function fromSystem(value: unknown): string {
  if (typeof value === 'string') return value;
  if (!Array.isArray(value)) throw invalidType('system', 'a string or an array', value);
  const texts = value.map((member, at) => {
    const path = `system[${String(at)}]`;
    const block = parseObject(member, path);
    parseChoice(block.type, `${path}.type`, ['text']);
    return parseString(block.text, `${path}.text`);
  });
  return texts.filter((text) => text !== '' && !billingLine.test(text)).join('\n\n');
}

/** With 0 Anthropic only fills its prompt cache; elsewhere the nearest to that is one token. */
function fromMaxTokens(request: CreateResponseRequest, value: unknown, losses: Loss[]): void {
  const limit = parseInteger(value, 'max_tokens', count);
  request.max_output_tokens = Math.max(1, limit);
  if (limit > 0) return;
  losses.push({ path: 'max_tokens', action: 'approximated', reason: 'a model writes one token at least' });
}

function fromStopSequences(value: unknown): string[] {
  return parseArray(value, 'stop_sequences').map((text, at) => parseString(text, `stop_sequences[${String(at)}]`, { min: 1 }));
}

/** The user is also what keeps a session with its backend, there under Anthropic's own name. */
function fromMetadata(request: CreateResponseRequest, value: unknown): void {
  const { user_id } = parseObject(value, 'metadata');
  if (isAbsent(user_id)) return;
  request.user = parseString(user_id, 'metadata.user_id');
  request.metadata = { user_id: request.user };
}
