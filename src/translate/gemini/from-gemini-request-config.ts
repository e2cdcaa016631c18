import type { CreateResponseRequest } from '../../protocol/responses/request.ts';
import { toUnknownParameter } from '../parse/note-unknown-keys.ts';
import { parseBoolean, parseInteger, parseNumber, parseObject, parseString } from '../parse/parse-value.ts';
import { invalid, invalidChoice } from '../parse/request-error.ts';
import { readList, readMembers, type Member } from './from-gemini-request-members.ts';
import { fromOpenApiSchema } from './from-gemini-request-schema.ts';
import type { RequestTarget } from './from-gemini-request-target.ts';
import { readThinkingConfig } from './from-gemini-request-thinking.ts';

/** What only the history can use, or only the answer. */
export interface ConfigFacts {
  readonly showsThoughts: boolean;
  /** `detail` of every image that says nothing itself; null: the client did not ask. */
  readonly imageDetail: string | null;
}

type ConfigReader = (target: RequestTarget, member: Member) => void;

const maxInteger = Number.MAX_SAFE_INTEGER;
const penaltyLimits = { min: -2, max: 2 } as const;
const logprobsInclude = 'message.output_text.logprobs';

const readers: ReadonlyMap<string, ConfigReader> = new Map<string, ConfigReader>([
  field('maxOutputTokens', 'max_output_tokens', (value, path) => parseInteger(value, path, { min: 1, max: maxInteger })),
  field('temperature', 'temperature', (value, path) => parseNumber(value, path, { min: 0, max: 2 })),
  field('topP', 'top_p', (value, path) => parseNumber(value, path, { min: 0, max: 1 })),
  field('topK', 'top_k', (value, path) => parseInteger(value, path, { min: 1, max: maxInteger })),
  field('seed', 'seed', (value, path) => parseInteger(value, path, { min: -(2 ** 31), max: 2 ** 31 - 1 })),
  field('presencePenalty', 'presence_penalty', (value, path) => parseNumber(value, path, penaltyLimits)),
  field('frequencyPenalty', 'frequency_penalty', (value, path) => parseNumber(value, path, penaltyLimits)),
  field('stopSequences', 'stop', (value, path) =>
    readList({ value, path }).map((member) => parseString(member.value, member.path, { min: 1 })),
  ),
  ['candidateCount', readCandidateCount],
  ['responseMimeType', noteMimeType],
  ['responseSchema', (target, member) => addSchema(target, member, fromOpenApiSchema(member))],
  ['responseJsonSchema', (target, member) => addSchema(target, member, parseObject(member.value, member.path))],
  ['responseLogprobs', readLogprobs],
  ['logprobs', readLogprobCount],
  ['responseModalities', readModalities],
  ['thinkingConfig', readThinkingConfig],
  ['mediaResolution', (_target, { value, path }) => void mapMediaResolution(value, path)],
]);

/** `generationConfig` → the hub's fields; unknown members are losses. Throws GatewayError with the path as the client spelt it. */
export function readGenerationConfig(target: RequestTarget, source: Member): ConfigFacts {
  const config = readMembers(source);
  for (const [name, member] of config) {
    const read = readers.get(name);
    if (read !== undefined) read(target, member);
    else target.losses.push(toUnknownParameter(member.path, 'no such setting of an answer is known here'));
  }
  const resolution = config.get('mediaResolution');
  return {
    showsThoughts: target.request.reasoning?.summary !== null && target.request.reasoning !== null,
    imageDetail: resolution.value === undefined ? null : mapMediaResolution(resolution.value, resolution.path),
  };
}

/** `MEDIA_RESOLUTION_LOW` → `low`; null where Gemini's default is meant. Throws `invalid_value`. */
export function mapMediaResolution(value: unknown, path: string): string | null {
  switch (parseString(value, path)) {
    case 'MEDIA_RESOLUTION_UNSPECIFIED':
      return null;
    case 'MEDIA_RESOLUTION_LOW':
      return 'low';
    case 'MEDIA_RESOLUTION_MEDIUM':
      return 'auto';
    case 'MEDIA_RESOLUTION_HIGH':
    case 'MEDIA_RESOLUTION_ULTRA_HIGH':
      return 'high';
    default:
      throw invalidChoice(path, String(value), ['MEDIA_RESOLUTION_LOW', 'MEDIA_RESOLUTION_MEDIUM', 'MEDIA_RESOLUTION_HIGH']);
  }
}

function field<K extends keyof CreateResponseRequest>(
  name: string,
  hub: K,
  parse: (value: unknown, path: string) => CreateResponseRequest[K],
): [string, ConfigReader] {
  return [
    name,
    ({ request, fields }, { value, path }) => {
      request[hub] = parse(value, path);
      fields.set(hub, path);
    },
  ];
}

function readCandidateCount(_target: RequestTarget, { value, path }: Member): void {
  const count = parseInteger(value, path, { min: 1, max: 8 });
  if (count === 1) return;
  const message = `Unsupported value: '${path}' is ${String(count)}. This gateway gives one candidate for each request: leave it out or send 1.`;
  throw invalid('unsupported_value', path, message);
}

/** Only the mark for JSON; which schema it has is said elsewhere, before or behind it. */
function noteMimeType({ request, losses, fields }: RequestTarget, { value, path }: Member): void {
  const type = parseString(value, path).toLowerCase();
  if (!fields.has('text.format')) fields.set('text.format', path);
  if (type === 'application/json') {
    if (request.text.format.type === 'text') request.text.format = { type: 'json_object' };
  } else if (type === 'text/x.enum') {
    losses.push({ path, action: 'dropped', reason: 'answers cannot be held to one bare word here; the model answers as text' });
  } else if (type !== '' && type !== 'text/plain') {
    throw invalidChoice(path, type, ['text/plain', 'application/json', 'text/x.enum']);
  }
}

/** The dialect has no name for a format. Not strict: OpenAI's strict schemas are a subset that Gemini's clients do not know of. */
function addSchema({ request, fields }: RequestTarget, { path }: Member, schema: Readonly<Record<string, unknown>>): void {
  const { format } = request.text;
  if (format.type === 'json_schema') {
    const earlier = fields.get('text.format.schema') ?? 'responseSchema';
    const message = `Mutually exclusive parameters: '${path}'. Ensure you are only providing one of: '${earlier}' or '${path}'.`;
    throw invalid('mutually_exclusive_parameters', path, message);
  }
  request.text.format = { type: 'json_schema', name: 'response', description: null, schema, strict: false };
  fields.set('text.format.schema', path);
  fields.set('text.format', path);
}

function readLogprobs({ request }: RequestTarget, { value, path }: Member): void {
  if (parseBoolean(value, path) && !request.include.includes(logprobsInclude)) request.include.push(logprobsInclude);
}

function readLogprobCount({ request, fields }: RequestTarget, { value, path }: Member): void {
  request.top_logprobs = parseInteger(value, path, { min: 0, max: 20 });
  fields.set('top_logprobs', path);
}

function readModalities({ losses }: RequestTarget, source: Member): void {
  for (const { value, path } of readList(source)) {
    const modality = parseString(value, path).toUpperCase();
    if (modality === 'TEXT' || modality === 'MODALITY_UNSPECIFIED') continue;
    losses.push({ path, action: 'dropped', code: 'unsupported_value', reason: 'answers are text here, and nothing else' });
  }
}
