import type { Loss } from '../../model/loss.ts';
import { noteUnknownKeys, toUnknownParameter } from '../../translate/parse/note-unknown-keys.ts';
import {
  isAbsent,
  parseArray,
  parseBoolean,
  parseChoice,
  parseInteger,
  parseObject,
  parseString,
} from '../../translate/parse/parse-value.ts';
import { invalid } from '../../translate/parse/request-error.ts';

/** Checks one field that is there and not null, and reports what is lost with it. */
type FieldCheck = (value: unknown, path: string, losses: Loss[]) => void;

/**
 * Fields of the protocol that no response of ours depends on. Their types are checked, so that a client learns of its mistakes here as it would at OpenAI; a loss is
 * reported only where the answer would be another one. Hints (caching, identity, tracing) are no losses.
 */
export const unservedFields: ReadonlyMap<string, FieldCheck> = new Map<string, FieldCheck>([
  ['prompt', refusePrompt],
  ['stream_options', checkStreamOptions],
  ['client_metadata', parseObject],
  ['access_programs', parseObject],
  ['prompt_cache_options', checkCacheOptions],
  ['moderation', checkModeration],
  ['context_management', checkContextManagement],
  ['image', checkImage],
  ['personality', checkPersonality],
  ['generate', checkGenerate],
]);

/** Names from the chat API, and where their meaning went: the most frequent unknown fields, and the ones that hurt most when ignored. */
const movedFields: ReadonlyMap<string, string> = new Map([
  ['messages', 'input'],
  ['max_tokens', 'max_output_tokens'],
  ['max_completion_tokens', 'max_output_tokens'],
  ['response_format', 'text.format'],
  ['reasoning_effort', 'reasoning.effort'],
  ['verbosity', 'text.verbosity'],
  ['functions', 'tools'],
  ['function_call', 'tool_choice'],
]);

/** The loss of a top-level field that no table knows. */
export function toUnknownField(name: string): Loss {
  const moved = movedFields.get(name);
  return moved === undefined
    ? toUnknownParameter(name)
    : toUnknownParameter(name, `in the Responses API this parameter has moved to '${moved}'`);
}

/** A template may hold anything: leaving it out would answer another question. */
function refusePrompt(_value: unknown, path: string): never {
  const message = `Unsupported parameter: '${path}'. This gateway hosts no prompt templates: send 'instructions' and 'input' instead.`;
  throw invalid('unsupported_parameter', path, message);
}

/** We send no obfuscation, so switching it on or off changes nothing that a client could miss. */
function checkStreamOptions(value: unknown, path: string, losses: Loss[]): void {
  const options = parseObject(value, path);
  if (!isAbsent(options.include_obfuscation)) parseBoolean(options.include_obfuscation, `${path}.include_obfuscation`);
  noteUnknownKeys(options, path, ['include_obfuscation'], losses);
}

function checkCacheOptions(value: unknown, path: string, losses: Loss[]): void {
  const options = parseObject(value, path);
  if (isAbsent(options.prewarm) || !parseBoolean(options.prewarm, `${path}.prewarm`)) return;
  losses.push({
    path: `${path}.prewarm`,
    action: 'dropped',
    reason: 'the model answers, although only its cache was to be filled',
  });
}

function checkModeration(value: unknown, path: string, losses: Loss[]): void {
  parseString(parseObject(value, path).model, `${path}.model`);
  losses.push({ path, action: 'dropped', reason: 'input and output are not moderated here' });
}

function checkContextManagement(value: unknown, path: string, losses: Loss[]): void {
  parseArray(value, path, { min: 1 }).forEach((member, index) => {
    const place = `${path}[${index}]`;
    const { type, compact_threshold: threshold } = parseObject(member, place);
    parseString(type, `${place}.type`);
    if (!isAbsent(threshold)) parseInteger(threshold, `${place}.compact_threshold`, { min: 1000, max: Number.MAX_SAFE_INTEGER });
  });
  losses.push({ path, action: 'dropped', reason: 'the history is never compacted here' });
}

function checkImage(value: unknown, path: string, losses: Loss[]): void {
  const { context_compression: compression } = parseObject(value, path);
  if (
    isAbsent(compression) ||
    parseChoice(compression, `${path}.context_compression`, ['auto', 'enabled', 'disabled']) !== 'enabled'
  )
    return;
  losses.push({ path: `${path}.context_compression`, action: 'dropped', reason: 'images are given to the model as they are' });
}

function checkPersonality(value: unknown, path: string, losses: Loss[]): void {
  parseString(value, path);
  losses.push({ path, action: 'dropped', reason: 'the models here have no personalities to choose from' });
}

/** `generate: false` belongs to WebSocket mode, where it prepares state and asks no model. */
function checkGenerate(value: unknown, path: string, losses: Loss[]): void {
  if (!parseBoolean(value, path)) losses.push({ path, action: 'dropped', reason: 'over HTTP the model always answers' });
}
