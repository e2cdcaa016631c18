import type { CreateResponseRequest } from '../../protocol/responses/request.ts';
import { noteUnknownKeys } from '../parse/note-unknown-keys.ts';
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
import { invalid, invalidType, toPreview } from '../parse/request-error.ts';
import { readResponseFormat } from './from-chat-format.ts';
import { readChatMessages } from './from-chat-messages.ts';
import type { ChatReading } from './chat-reading.ts';
import { readFunctionCallChoice, readFunctions, readToolChoice, readTools } from './from-chat-tools.ts';

/** Checks one field that is there and not null, and writes down what it says. */
type FieldReader = (reading: ChatReading, value: unknown, path: string) => void;

const maxInteger = Number.MAX_SAFE_INTEGER;
const penaltyLimits = { min: -2, max: 2 } as const;
const verbosities = ['low', 'medium', 'high'] as const;
const retentions = ['in_memory', '24h'] as const;
const efforts = ['none', 'minimal', 'low', 'medium', 'high', 'xhigh', 'max'] as const;
/** OpenAI's, and `on_demand`, which is Groq's word for the default. */
const serviceTiers = ['auto', 'default', 'flex', 'scale', 'priority', 'fast', 'ultrafast', 'on_demand'] as const;

/** Every field of `POST /v1/chat/completions` (openai 6.49), `top_k`, which many servers of this dialect know, and our `timeout`. */
export const chatFields: ReadonlyMap<string, FieldReader> = new Map<string, FieldReader>([
  field('model', (value, path) => parseString(value, path, { min: 1, max: 512 })),
  ['messages', readChatMessages],
  field('stream', parseBoolean),
  ['stream_options', readStreamOptions],
  ['tools', readTools],
  ['tool_choice', readToolChoice],
  ['functions', readFunctions],
  ['function_call', readFunctionCallChoice],
  field('parallel_tool_calls', parseBoolean),
  ['response_format', readResponseFormat],
  ['reasoning_effort', readEffort],
  ['verbosity', readVerbosity],
  ['max_tokens', readMaximum],
  ['max_completion_tokens', readMaximum],
  field('temperature', (value, path) => parseNumber(value, path, { min: 0, max: 2 })),
  field('top_p', (value, path) => parseNumber(value, path, { min: 0, max: 1 })),
  field('top_k', (value, path) => parseInteger(value, path, { min: 0, max: maxInteger })),
  field('presence_penalty', (value, path) => parseNumber(value, path, penaltyLimits)),
  field('frequency_penalty', (value, path) => parseNumber(value, path, penaltyLimits)),
  field('seed', (value, path) => parseInteger(value, path, { min: -maxInteger, max: maxInteger })),
  field('stop', parseStop),
  ['logprobs', readLogprobs],
  field('top_logprobs', (value, path) => parseInteger(value, path, { min: 0, max: 20 })),
  field('user', (value, path) => parseString(value, path)),
  field('safety_identifier', (value, path) => parseString(value, path, { max: 128 })),
  field('prompt_cache_key', (value, path) => parseString(value, path, { max: 64 })),
  field('prompt_cache_retention', (value, path) => parseChoice(value === 'in-memory' ? 'in_memory' : value, path, retentions)),
  field('service_tier', parseTier),
  field('metadata', parseMetadata),
  field('timeout', (value, path) => parseNumber(value, path, { min: 0, exclusiveMin: true, max: maxInteger })),
  ['n', checkCount],
  ['store', checkStore],
  ['logit_bias', checkLogitBias],
  ['prediction', checkPrediction],
  ['modalities', checkModalities],
  ['audio', refuseAudio],
  ['moderation', checkModeration],
  // A search is a tool: it is added when all tools are known.
  ['web_search_options', (_reading, value, path) => void parseObject(value, path)],
]);

function field<K extends keyof CreateResponseRequest>(
  name: K,
  parse: (value: unknown, path: string) => CreateResponseRequest[K],
): [string, FieldReader] {
  return [
    name,
    ({ request }, value) => {
      request[name] = parse(value, name);
    },
  ];
}

/** We send no obfuscation, so switching it on or off changes nothing. */
function readStreamOptions(reading: ChatReading, value: unknown, path: string): void {
  const options = parseObject(value, path);
  if (!isAbsent(options['include_obfuscation'])) parseBoolean(options['include_obfuscation'], `${path}.include_obfuscation`);
  if (!isAbsent(options['include_usage']))
    reading.includesUsage = parseBoolean(options['include_usage'], `${path}.include_usage`);
  noteUnknownKeys(options, path, ['include_usage', 'include_obfuscation'], reading.losses);
}

/** `default` is Groq's word for saying nothing. */
function readEffort({ request }: ChatReading, value: unknown, path: string): void {
  if (value !== 'default') request.reasoning = { effort: parseChoice(value, path, efforts), summary: null };
}

function readVerbosity({ request }: ChatReading, value: unknown, path: string): void {
  request.text = { ...request.text, verbosity: parseChoice(value, path, verbosities) };
}

/** 0 is what clients of local servers send for "no limit". */
function readMaximum({ request, names, losses }: ChatReading, value: unknown, path: string): void {
  const maximum = parseInteger(value, path, { min: 0, max: maxInteger });
  names.set('max_output_tokens', path);
  if (maximum > 0) request.max_output_tokens = maximum;
  else losses.push({ path, action: 'approximated', reason: 'an answer needs tokens, so 0 was taken as no limit' });
}

/** One text or up to four. Empty ones would end every answer at once; nobody means that. */
function parseStop(value: unknown, path: string): string[] {
  if (typeof value === 'string') return value === '' ? [] : [value];
  if (!Array.isArray(value)) throw invalidType(path, 'one of a string or an array of strings', value);
  return parseArray(value, path, { max: 4 })
    .map((text, index) => parseString(text, `${path}[${index}]`))
    .filter((text) => text !== '');
}

function readLogprobs({ request, names }: ChatReading, value: unknown, path: string): void {
  if (!parseBoolean(value, path)) return;
  request.include.push('message.output_text.logprobs');
  // A loss names what every such request has; `top_logprobs` may be missing.
  names.set('top_logprobs', path);
}

function parseTier(value: unknown, path: string): string {
  const tier = parseChoice(value, path, serviceTiers);
  return tier === 'on_demand' ? 'default' : tier;
}

/** At most 16 pairs of texts. They are of no use without stored completions, but a mistake is one here as well. */
function parseMetadata(value: unknown, path: string): Record<string, string> {
  const entries = Object.entries(parseObject(value, path));
  if (entries.length > 16) {
    const message = `Invalid '${path}': too many properties. Expected an object with at most 16 properties, but got an object with ${entries.length} properties instead.`;
    throw invalid('object_above_max_properties', path, message);
  }
  return Object.fromEntries(entries.map(([key, text]) => [key, parseString(text, `${path}.${toPreview(key)}`, { max: 512 })]));
}

function checkCount(_reading: ChatReading, value: unknown, path: string): void {
  if (parseInteger(value, path, { min: 1, max: 128 }) === 1) return;
  const message = `Unsupported value: '${path}' must be 1. This gateway makes one choice per request: send several requests instead.`;
  throw invalid('unsupported_value', path, message);
}

function checkStore({ losses }: ChatReading, value: unknown, path: string): void {
  if (!parseBoolean(value, path)) return;
  losses.push({ path, action: 'dropped', reason: 'chat completions are not stored here; POST /v1/responses stores' });
}

function checkLogitBias({ losses }: ChatReading, value: unknown, path: string): void {
  const entries = Object.entries(parseObject(value, path));
  for (const [token, bias] of entries) parseNumber(bias, `${path}.${toPreview(token)}`, { min: -100, max: 100 });
  if (entries.length > 0) losses.push({ path, action: 'dropped', reason: 'token ids mean something else in every model' });
}

function checkPrediction({ losses }: ChatReading, value: unknown, path: string): void {
  const prediction = parseObject(value, path);
  parseChoice(prediction['type'], `${path}.type`, ['content']);
  losses.push({ path, action: 'dropped', reason: 'the answer is written without the prediction, only more slowly' });
}

function checkModalities(_reading: ChatReading, value: unknown, path: string): void {
  parseArray(value, path).forEach((modality, index) => {
    const place = `${path}[${index}]`;
    if (parseChoice(modality, place, ['text', 'audio']) === 'text') return;
    throw invalid('unsupported_value', place, "Unsupported value: 'audio'. Models behind this gateway answer with text.");
  });
}

function refuseAudio(_reading: ChatReading, _value: unknown, path: string): never {
  throw invalid('unsupported_parameter', path, `Unsupported parameter: '${path}'. Models behind this gateway answer with text.`);
}

function checkModeration({ losses }: ChatReading, value: unknown, path: string): void {
  parseObject(value, path);
  losses.push({ path, action: 'dropped', reason: 'input and output are not moderated here' });
}
