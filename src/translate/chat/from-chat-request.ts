import type { JsonObject } from '../../lib/json.ts';
import type { Loss } from '../../model/loss.ts';
import type { FrontRequest } from '../front-request.ts';
import { toUnknownParameter } from '../parse/note-unknown-keys.ts';
import { isAbsent, parseObject } from '../parse/parse-value.ts';
import { invalid, missingParameter } from '../parse/request-error.ts';
import type { ChatFacts } from './chat-answer.ts';
import { newChatReading } from './chat-reading.ts';
import { chatFields } from './from-chat-fields.ts';
import { addWebSearch, checkChatToolChoice } from './from-chat-tools.ts';

/** Names from the Responses API, which clients that change over send here. */
const responsesFields: ReadonlySet<string> = new Set([
  'input',
  'instructions',
  'previous_response_id',
  'conversation',
  'max_output_tokens',
  'include',
  'text',
  'truncation',
  'background',
]);

/**
 * Body of `POST /v1/chat/completions`, parsed JSON → request in the hub's words. Throws GatewayError 400 with `param` for the first thing that is wrong: fields in the
 * client's order, then what fields say about each other. Null counts as absent. Nothing is stored.
 */
export function fromChatRequest(body: unknown): FrontRequest<ChatFacts> {
  const fields = parseObject(body, 'body');
  const reading = newChatReading();
  const { request, losses } = reading;
  for (const [name, value] of Object.entries(fields)) {
    const read = chatFields.get(name);
    if (read === undefined) losses.push(toUnknownField(name));
    else if (!isAbsent(value)) read(reading, value, name);
  }
  if (isAbsent(fields['messages'])) throw toMissingMessages(fields);
  checkTogether(fields);
  checkChatToolChoice(reading);
  if (!isAbsent(fields['web_search_options'])) addWebSearch(reading, fields['web_search_options'], 'web_search_options');
  // The old form has room for one call.
  if (reading.isLegacy) request.parallel_tool_calls = false;
  request.wishes_summary = true;
  return {
    request,
    losses,
    names: { inputs: reading.inputs, fields: reading.names },
    facts: { includesUsage: reading.includesUsage, isLegacy: reading.isLegacy },
  };
}

function toUnknownField(name: string): Loss {
  const reason = responsesFields.has(name)
    ? 'the Chat Completions API has no such parameter; POST /v1/responses does'
    : 'the Chat Completions API has no such parameter';
  return toUnknownParameter(name, reason);
}

function toMissingMessages(fields: JsonObject): Error {
  return missingParameter('messages', isAbsent(fields['input']) ? '' : "'input' belongs to POST /v1/responses.");
}

/** Two names of one thing. */
const rivals = [
  ['max_tokens', 'max_completion_tokens'],
  ['functions', 'tools'],
  ['function_call', 'tool_choice'],
] as const;

/** What fields say about each other. */
function checkTogether(fields: JsonObject): void {
  const has = (name: string): boolean => !isAbsent(fields[name]);
  if (has('stream_options') && fields['stream'] !== true) throw onlyWith('stream_options', 'stream');
  if (has('top_logprobs') && fields['top_logprobs'] !== 0 && fields['logprobs'] !== true)
    throw onlyWith('top_logprobs', 'logprobs');
  for (const [one, other] of rivals) {
    const areEqual = one === 'max_tokens' && fields[one] === fields[other];
    if (has(one) && has(other) && !areEqual) throw exclusive(one, other);
  }
}

function onlyWith(one: string, other: string): Error {
  return invalid('invalid_value', one, `The '${one}' parameter is only allowed when '${other}' is enabled.`);
}

function exclusive(one: string, other: string): Error {
  const message = `Mutually exclusive parameters: '${one}'. Ensure you are only providing one of: '${one}' or '${other}'.`;
  return invalid('mutually_exclusive_parameters', one, message);
}
