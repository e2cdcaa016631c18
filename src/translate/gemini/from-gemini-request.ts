import { isJsonObject } from '../../lib/json.ts';
import type { Loss } from '../../model/loss.ts';
import type { CreateResponseRequest } from '../../protocol/responses/request.ts';
import type { FrontRequest } from '../front-request.ts';
import { newCreateRequest } from '../parse/new-create-request.ts';
import { toUnknownParameter } from '../parse/note-unknown-keys.ts';
import { parseBoolean, parseChoice, parseObject, parseString } from '../parse/parse-value.ts';
import { invalid, missingParameter } from '../parse/request-error.ts';
import { readGenerationConfig, type ConfigFacts } from './from-gemini-request-config.ts';
import { readContents } from './from-gemini-request-contents.ts';
import { Members, readList, readMembers, type Member } from './from-gemini-request-members.ts';
import type { RequestTarget } from './from-gemini-request-target.ts';
import { readToolConfig, readTools } from './from-gemini-request-tools.ts';
import type { GeminiAnswerFacts } from './to-gemini-chunks-writer.ts';

/** What the URL says of a request. */
export interface GeminiCallFacts {
  /** Null: the body names it, or nobody does. */
  readonly model: string | null;
  /** Null: the body's `stream` says it (`POST /v1/gemini`). */
  readonly stream: boolean | null;
}

/** What is read out of a body by name; everything else is `unserved` or unknown. */
const served: ReadonlySet<string> = new Set([
  'contents',
  'systemInstruction',
  'tools',
  'toolConfig',
  'generationConfig',
  'safetySettings',
  'serviceTier',
  'model',
]);

/** Fields of Google's that nothing is done with, and what the answer loses by it; null: nothing. */
const unserved: ReadonlyMap<string, string | null> = new Map([
  ['labels', null],
  ['cachedContent', 'this gateway keeps no cached contents, so the model does not see what is in there'],
  ['modelArmorConfig', 'input and output are not moderated here'],
]);

/**
 * Body of `generateContent` and `streamGenerateContent`, parsed JSON → the request in the hub's words. Every field is taken in camelCase and in snake_case. Throws GatewayError
 * with the field as the client spelt it (`contents[1].parts[0].functionResponse.name`).
 *
 * Normal form, where the dialect says less than the hub or the other way round: system text is joined by blank lines; pieces of one text are one text; the output of a call is
 * the JSON text of `response`; a call without an id is named by its place; OpenAPI schemas are JSON Schema; a budget of tokens is also the nearest effort.
 */
export function fromGeminiRequest(body: unknown, call: GeminiCallFacts): FrontRequest<GeminiAnswerFacts> {
  const fields = new Members(parseObject(body, 'body'), '');
  const read = readRequest(fields, { ...call, isCounted: false });
  if (!fields.has('contents')) throw missingParameter('contents');
  if (read.request.input.length > 0) return read;
  const { path } = fields.get('contents');
  if (read.request.instructions === null)
    throw invalid('empty_array', path, `Invalid '${path}': it says nothing. Expected at least one part with content.`);
  // Agents that have only instructions send an empty text, and Google answers them.
  read.request.input.push({ type: 'message', role: 'user', content: [{ type: 'input_text', text: '' }] });
  return { ...read, names: { ...read.names, inputs: [{ item: path }] } };
}

/** Body of `countTokens`: `contents` and what goes with them, or all of it in `generateContentRequest`. Nothing has to be there. */
export function fromGeminiCount(body: unknown, model: string | null): FrontRequest<GeminiAnswerFacts> {
  const outer = new Members(parseObject(body, 'body'), '');
  const wrapped = outer.get('generateContentRequest');
  const fields = wrapped.value === undefined ? outer : readMembers(wrapped);
  return readRequest(fields, { model, stream: false, isCounted: true });
}

function readRequest(fields: Members, call: GeminiCallFacts & { readonly isCounted: boolean }): FrontRequest<GeminiAnswerFacts> {
  const request: CreateResponseRequest = { ...newCreateRequest(), store: false };
  const target: RequestTarget = { request, losses: [], fields: new Map() };
  request.model = call.model ?? readModel(fields.get('model'));
  request.stream = call.stream ?? readFlag(fields.get('stream'));
  noteUnserved(fields, target.losses, call.stream === null);
  if (fields.has('systemInstruction')) readSystem(target, fields.get('systemInstruction'));
  if (fields.has('tools')) readTools(target, fields.get('tools'));
  if (fields.has('toolConfig')) readToolConfig(target, fields.get('toolConfig'));
  const config: ConfigFacts = fields.has('generationConfig')
    ? readGenerationConfig(target, fields.get('generationConfig'))
    : { showsThoughts: false, imageDetail: null };
  if (fields.has('safetySettings')) noteSafetySettings(target, fields.get('safetySettings'));
  if (fields.has('serviceTier')) readServiceTier(target, fields.get('serviceTier'));
  const contents = fields.has('contents') ? readContents(fields.get('contents'), call) : { items: [], names: [], losses: [] };
  request.input = [...contents.items];
  target.fields.set('input', fields.get('contents').path);
  if (config.imageDetail !== null) setImageDetail(request, config.imageDetail);
  const losses = [...target.losses, ...contents.losses];
  // They name the client's fields already, and hub and client both call something `tools[0]`.
  for (const { path } of losses) target.fields.set(path, path);
  return {
    request,
    losses,
    names: { inputs: contents.names, fields: target.fields },
    facts: { showsThoughts: config.showsThoughts },
  };
}

/** `models/x` → `x`. */
export function toModelName(name: string): string {
  return name.replace(/^(?:models|tunedModels)\//, '');
}

function readModel({ value, path }: Member): string | null {
  return value === undefined ? null : toModelName(parseString(value, path, { min: 1, max: 512 }));
}

function readFlag({ value, path }: Member): boolean {
  return value !== undefined && parseBoolean(value, path);
}

function noteUnserved(fields: Members, losses: Loss[], takesStream: boolean): void {
  for (const [name, { path }] of fields) {
    const reason = unserved.get(name);
    if (typeof reason === 'string') losses.push({ path, action: 'dropped', reason });
    else if (reason === undefined && !served.has(name) && !(takesStream && name === 'stream'))
      losses.push(toUnknownParameter(path, 'a request of Gemini has no such parameter'));
  }
}

/** A text, a list of parts, or a content; Google takes only text in it. */
function readSystem({ request, losses, fields }: RequestTarget, source: Member): void {
  fields.set('instructions', source.path);
  const isContent = isJsonObject(source.value) && !('text' in source.value);
  const parts = isContent ? readMembers(source).get('parts') : source;
  const texts = parts.value === undefined ? [] : readList(parts).flatMap((part) => readSystemText(part, losses));
  request.instructions = texts.length === 0 ? null : texts.join('\n\n');
}

function readSystemText(source: Member, losses: Loss[]): string[] {
  if (typeof source.value === 'string') return source.value === '' ? [] : [source.value];
  const { value, path } = readMembers(source).get('text');
  if (value === undefined) {
    losses.push({ path: source.path, action: 'dropped', reason: 'a system instruction is text and nothing else' });
    return [];
  }
  const text = parseString(value, path);
  return text === '' ? [] : [text];
}

/** Filters that are off are off here too; others cannot be set. */
function noteSafetySettings({ losses }: RequestTarget, source: Member): void {
  const off = ['BLOCK_NONE', 'OFF', 'HARM_BLOCK_THRESHOLD_UNSPECIFIED'];
  for (const setting of readList(source)) {
    const { value, path } = readMembers(setting).get('threshold');
    if (value === undefined || off.includes(parseString(value, path))) continue;
    losses.push({ path, action: 'dropped', reason: "safety filters cannot be set here; the model server's own apply" });
  }
}

function readServiceTier({ request, fields }: RequestTarget, { value, path }: Member): void {
  const tier = parseString(value, path).toLowerCase();
  fields.set('service_tier', path);
  if (tier === '' || tier === 'unspecified') return;
  request.service_tier = parseChoice(tier, path, ['standard', 'flex', 'priority']).replace('standard', 'default');
}

/** The one resolution of a request, for images that have none of their own. */
function setImageDetail({ input }: CreateResponseRequest, detail: string): void {
  for (const item of input) {
    const parts = item.type === 'message' ? item.content : item.type === 'function_call_output' ? item.output : [];
    if (typeof parts === 'string') continue;
    for (const part of parts) if (part.type === 'input_image') part.detail ??= detail;
  }
}
