import type { JsonObject } from '../../lib/json.ts';
import type { Loss } from '../../model/loss.ts';
import type { CreateResponseRequest } from '../../protocol/responses/request.ts';
import { checkToolChoice } from './check-tool-choice.ts';
import { newCreateRequest } from '../../translate/parse/new-create-request.ts';
import { isAbsent, parseObject } from '../../translate/parse/parse-value.ts';
import { invalid, missingParameter } from '../../translate/parse/request-error.ts';
import { servedFields } from './request-fields.ts';
import { toUnknownField, unservedFields } from './unserved-fields.ts';

/** A body after parsing, and what of it is not done. */
export interface ParsedRequest {
  readonly request: CreateResponseRequest;
  readonly losses: Loss[];
}

/** What `POST /v1/responses/input_tokens` takes (protocol.md §1.1); all of it is optional. */
const countedFields: ReadonlySet<string> = new Set([
  'model',
  'input',
  'instructions',
  'previous_response_id',
  'conversation',
  'tools',
  'tool_choice',
  'parallel_tool_calls',
  'text',
  'reasoning',
  'truncation',
  'personality',
]);

/**
 * Body of `POST /v1/responses`, parsed JSON → request with every default filled in. Throws GatewayError 400 with `param` for the first thing that is wrong: fields in the
 * client's order, then what fields say about each other. Null counts as absent. Nothing in the body is changed; tool schemas and unknown items are shared with it.
 */
export function parseCreateResponse(body: unknown): ParsedRequest {
  const fields = parseObject(body, 'body');
  const parsed = readFields(fields, () => true);
  const { request } = parsed;
  checkContext(request);
  const hasContext = request.previous_response_id !== null || request.conversation !== null;
  if (request.input.length === 0 && !hasContext) throw toMissingInput(fields);
  if (!isAbsent(fields.stream_options) && !request.stream) {
    throw invalid('invalid_value', 'stream_options', "The 'stream_options' parameter is only allowed when 'stream' is enabled.");
  }
  checkToolChoice(request.tool_choice, request.tools);
  return parsed;
}

/**
 * Body of `POST /v1/responses/input_tokens`: a subset of the fields, all optional, read in the same way. Fields of a request that do not belong here are unknown.
 */
export function parseInputTokens(body: unknown): ParsedRequest {
  const parsed = readFields(parseObject(body, 'body'), (name) => countedFields.has(name));
  checkContext(parsed.request);
  checkToolChoice(parsed.request.tool_choice, parsed.request.tools);
  return parsed;
}

function readFields(fields: JsonObject, isKnown: (name: string) => boolean): ParsedRequest {
  const request = newCreateRequest();
  const losses: Loss[] = [];
  for (const [name, value] of Object.entries(fields)) {
    const read = isKnown(name) ? servedFields.get(name) : undefined;
    const check = isKnown(name) ? unservedFields.get(name) : undefined;
    if (read === undefined && check === undefined) losses.push(toUnknownField(name));
    else if (!isAbsent(value)) {
      read?.(request, value, losses);
      check?.(value, name, losses);
    }
  }
  return { request, losses };
}

/** Where the history comes from: one source at most. */
function checkContext(request: CreateResponseRequest): void {
  if (request.conversation === null || request.previous_response_id === null) return;
  const message =
    "Mutually exclusive parameters: 'previous_response_id'. Ensure you are only providing one of: 'previous_response_id' or 'conversation'.";
  throw invalid('mutually_exclusive_parameters', 'previous_response_id', message);
}

function toMissingInput(fields: JsonObject): Error {
  if (isAbsent(fields.input))
    return missingParameter('input', "Without 'previous_response_id' or 'conversation' there is nothing else to answer.");
  const message = "Invalid 'input': empty array. Expected an array with minimum length 1, but got an empty array instead.";
  return invalid('empty_array', 'input', message);
}
