import { isJsonObject } from '../../lib/json.ts';
import type { Loss } from '../../model/loss.ts';
import type { CreateResponseRequest } from '../../protocol/responses/request.ts';
import { parseInclude } from './parse-include.ts';
import { parseInput } from './parse-input.ts';
import { parseMetadata } from './parse-metadata.ts';
import { parseReasoning } from './parse-reasoning.ts';
import { parseText } from './parse-text.ts';
import { parseToolChoice } from './parse-tool-choice.ts';
import { parseTools } from './parse-tools.ts';
import { invalid, invalidType } from '../../translate/parse/request-error.ts';
import { parseBoolean, parseChoice, parseInteger, parseNumber, parseString } from '../../translate/parse/parse-value.ts';

/** Checks one field that is there and not null, and writes it into the request. */
export type FieldReader = (request: CreateResponseRequest, value: unknown, losses: Loss[]) => void;

/** Long enough for every model file's path and every foreign id; what is longer would only make error messages and logs grow. */
const nameLimits = { min: 1, max: 512 } as const;
/** It has to fit into the path of `DELETE /v1/sessions/{id}`. */
const conversationLimits = { min: 1, max: 256 } as const;
const penaltyLimits = { min: -2, max: 2 } as const;
const maxInteger = Number.MAX_SAFE_INTEGER;
const serviceTiers = ['auto', 'default', 'flex', 'scale', 'priority', 'fast', 'ultrafast'];

/** Fields of `POST /v1/responses` that a response is made from (protocol.md §1.2). */
export const servedFields: ReadonlyMap<string, FieldReader> = new Map([
  field('model', (value, path) => parseString(value, path, nameLimits)),
  field('input', (value, _path, losses) => parseInput(value, losses)),
  field('instructions', (value, path) => parseString(value, path)),
  field('previous_response_id', (value, path) => parseString(value, path, nameLimits)),
  field('conversation', parseConversation),
  field('background', parseBackground),
  field('store', parseBoolean),
  field('stream', parseBoolean),
  field('include', parseInclude),
  field('tools', (value, _path, losses) => parseTools(value, losses)),
  field('tool_choice', parseToolChoice),
  field('parallel_tool_calls', parseBoolean),
  field('max_tool_calls', (value, path) => parseInteger(value, path, { min: 1, max: maxInteger })),
  field('max_output_tokens', (value, path) => parseInteger(value, path, { min: 16, max: maxInteger })),
  field('temperature', (value, path) => parseNumber(value, path, { min: 0, max: 2 })),
  field('top_p', (value, path) => parseNumber(value, path, { min: 0, max: 1 })),
  field('top_logprobs', (value, path) => parseInteger(value, path, { min: 0, max: 20 })),
  field('presence_penalty', (value, path) => parseNumber(value, path, penaltyLimits)),
  field('frequency_penalty', (value, path) => parseNumber(value, path, penaltyLimits)),
  field('text', (value, _path, losses) => parseText(value, losses)),
  field('reasoning', (value, _path, losses) => parseReasoning(value, losses)),
  field('truncation', (value, path) => parseChoice(value, path, ['auto', 'disabled'])),
  field('metadata', parseMetadata),
  field('service_tier', (value, path) => parseChoice(value, path, serviceTiers)),
  field('safety_identifier', (value, path) => parseString(value, path, { max: 128 })),
  field('prompt_cache_key', (value, path) => parseString(value, path, { max: 64 })),
  field('prompt_cache_retention', parseRetention),
  field('user', (value, path) => parseString(value, path)),
  field('timeout', (value, path) => parseNumber(value, path, { min: 0, exclusiveMin: true, max: maxInteger })),
]);

function field<K extends keyof CreateResponseRequest>(
  name: K,
  parse: (value: unknown, path: string, losses: Loss[]) => CreateResponseRequest[K],
): [string, FieldReader] {
  return [
    name,
    (request, value, losses) => {
      request[name] = parse(value, name, losses);
    },
  ];
}

/** Any name, or `{id}`: `conv_…` is one like every other. */
function parseConversation(value: unknown, path: string): string {
  if (typeof value === 'string') return parseString(value, path, conversationLimits);
  if (!isJsonObject(value)) throw invalidType(path, 'one of a string or an object with an id', value);
  return parseString(value.id, `${path}.id`, conversationLimits);
}

function parseBackground(value: unknown, path: string): boolean {
  if (!parseBoolean(value, path)) return false;
  const message =
    "Unsupported parameter: 'background'. Background responses are not available on this gateway yet: leave it out or send false.";
  throw invalid('unsupported_parameter', path, message);
}

/** Older OpenAI SDKs spell `in-memory`. */
function parseRetention(value: unknown, path: string): 'in_memory' | '24h' {
  return value === 'in-memory' ? 'in_memory' : parseChoice(value, path, ['in_memory', '24h']);
}
