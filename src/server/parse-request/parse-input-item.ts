import type { JsonObject } from '../../lib/json.ts';
import type { Loss } from '../../model/loss.ts';
import type {
  InputFunctionCall,
  InputFunctionCallOutput,
  InputItemParam,
  InputMessage,
  InputReasoning,
  OtherInputItem,
} from '../../protocol/responses/items.ts';
import { parseCallOutput, parseMessageContent, parseTexts } from './parse-content.ts';
import { invalidChoice, missingParameter } from '../../translate/parse/request-error.ts';
import { isAbsent, parseChoice, parseObject, parseString } from '../../translate/parse/parse-value.ts';

type ItemParser = (item: JsonObject, path: string, losses: Loss[]) => InputItemParam;

const itemParsers: ReadonlyMap<string, ItemParser> = new Map<string, ItemParser>([
  ['message', parseMessage],
  ['function_call', parseFunctionCall],
  ['function_call_output', parseFunctionCallOutput],
  ['reasoning', parseReasoning],
  [
    'item_reference',
    (item, path) => ({ type: 'item_reference', id: parseString(item.id, `${path}.id`, { min: 1, max: idLength }) }),
  ],
]);

/** Every other item type of the protocol (Appendix A, and what 7.57 added): kept whole, so that losing it is the engine's decision. */
const otherItemTypes: readonly string[] = [
  'web_search_call',
  'file_search_call',
  'computer_call',
  'computer_call_output',
  'image_generation_call',
  'code_interpreter_call',
  'local_shell_call',
  'local_shell_call_output',
  'shell_call',
  'shell_call_output',
  'apply_patch_call',
  'apply_patch_call_output',
  'mcp_list_tools',
  'mcp_call',
  'mcp_approval_request',
  'mcp_approval_response',
  'custom_tool_call',
  'custom_tool_call_output',
  'tool_search_call',
  'tool_search_output',
  'additional_tools',
  'compaction',
  'compaction_trigger',
  'program',
  'program_output',
  'configuration_update',
];

/** OpenAI stops at 64; other servers make longer ids, and a client that changes to us still has them in its history. */
const idLength = 512;
const callIdLimits = { min: 1, max: 64 } as const;

/**
 * One member of `input`. Unknown keys are tolerated: clients send our own output items back, with whatever else they keep there. Throws GatewayError with `param`.
 */
export function parseInputItem(value: unknown, path: string, losses: Loss[]): InputItemParam {
  const item = parseObject(value, path);
  const type = parseItemType(item, path);
  const parse = itemParsers.get(type);
  if (parse !== undefined) return parse(item, path, losses);
  if (!otherItemTypes.includes(type)) throw invalidChoice(`${path}.type`, type, [...itemParsers.keys(), ...otherItemTypes]);
  const other: OtherInputItem = { type: 'other', itemType: type, raw: item };
  return copyId(item, other, path);
}

/** Messages and references may come without a type: one has a role, the other has nothing but an id. */
function parseItemType(item: JsonObject, path: string): string {
  if (!isAbsent(item.type)) return parseString(item.type, `${path}.type`);
  if (!isAbsent(item.role)) return 'message';
  const hasOnlyId = !isAbsent(item.id) && Object.keys(item).every((key) => key === 'id' || isAbsent(item[key]));
  if (hasOnlyId) return 'item_reference';
  throw missingParameter(`${path}.type`);
}

function parseMessage(item: JsonObject, path: string, losses: Loss[]): InputMessage {
  const role = parseChoice(item.role, `${path}.role`, ['user', 'assistant', 'system', 'developer']);
  const content = parseMessageContent(item.content, `${path}.content`, role, losses);
  const message: InputMessage = { type: 'message', role, content };
  if (!isAbsent(item.phase)) message.phase = parseChoice(item.phase, `${path}.phase`, ['commentary', 'final_answer']);
  // Open Responses allows any text here, and nothing depends on it.
  if (!isAbsent(item.status)) message.status = parseString(item.status, `${path}.status`);
  return copyId(item, message, path);
}

function parseFunctionCall(item: JsonObject, path: string): InputFunctionCall {
  const call: InputFunctionCall = {
    type: 'function_call',
    call_id: parseString(item.call_id, `${path}.call_id`, callIdLimits),
    name: parseString(item.name, `${path}.name`, { min: 1, max: 128 }),
    arguments: parseString(item.arguments, `${path}.arguments`),
  };
  if (!isAbsent(item.namespace)) call.namespace = parseString(item.namespace, `${path}.namespace`, { max: 64 });
  return copyStatus(item, copyId(item, call, path), path);
}

function parseFunctionCallOutput(item: JsonObject, path: string, losses: Loss[]): InputFunctionCallOutput {
  const output: InputFunctionCallOutput = {
    type: 'function_call_output',
    call_id: parseString(item.call_id, `${path}.call_id`, callIdLimits),
    output: parseCallOutput(item.output, `${path}.output`, losses),
  };
  return copyStatus(item, copyId(item, output, path), path);
}

/** `status` is not read here: OpenAI refuses what its own SDKs send back in it, which is a nuisance and no protection. */
function parseReasoning(item: JsonObject, path: string): InputReasoning {
  const reasoning: InputReasoning = { type: 'reasoning', summary: parseTexts(item.summary, `${path}.summary`, 'summary_text') };
  if (!isAbsent(item.content)) reasoning.content = parseTexts(item.content, `${path}.content`, 'reasoning_text');
  if (!isAbsent(item.encrypted_content))
    reasoning.encrypted_content = parseString(item.encrypted_content, `${path}.encrypted_content`);
  return copyId(item, reasoning, path);
}

/** An absent, null or empty id is no id: the engine gives the item one. */
function copyId<T extends { id?: string }>(item: JsonObject, target: T, path: string): T {
  if (!isAbsent(item.id) && item.id !== '') target.id = parseString(item.id, `${path}.id`, { max: idLength });
  return target;
}

function copyStatus<T extends { status?: string }>(item: JsonObject, target: T, path: string): T {
  if (!isAbsent(item.status))
    target.status = parseChoice(item.status, `${path}.status`, ['in_progress', 'completed', 'incomplete']);
  return target;
}
