import { isJsonObject, parseJson, type JsonObject } from '../../lib/json.ts';
import type { InputItem, ModelRequest } from '../../model/model-request.ts';
import { isThinkingModel } from '../responses/responses-profile.ts';
import type { ChatProfile } from './chat-profile.ts';
import { takesChatMessages } from './takes-chat-messages.ts';
import { toChatThinking } from './to-chat-effort.ts';
import { toChatSampling } from './to-chat-sampling.ts';
import { chatToolNames } from './to-chat-request.ts';

/**
 * Whether a server of this profile understands a client's body as it is. Not so where the translation would say something in other words for it, where we do for the server what it cannot do itself
 * (a `tool_choice` that it ignores), and where a server in our own network would fetch what a client names. Fields that nobody here knows are the server's matter.
 */
export function takesChatNatively(request: ModelRequest, fields: JsonObject, profile: ChatProfile): boolean {
  if (profile.thinkTags || isOldForm(fields, profile) || hasForeignFields(fields, profile)) return false;
  return (
    takesSettings(fields, profile) &&
    takesSampling(request, fields, profile) &&
    takesTools(request, fields, profile) &&
    takesHistory(request, profile) &&
    takesChatMessages(request, fields, profile)
  );
}

/** `functions` and their like: all but OpenAI have forgotten them. */
function isOldForm(fields: JsonObject, { vendor }: ChatProfile): boolean {
  const isOld = (message: unknown): boolean =>
    isJsonObject(message) && (message['role'] === 'function' || isThere(message['function_call']));
  return (
    vendor !== 'openai' &&
    (isThere(fields['functions']) || isThere(fields['function_call']) || listOf(fields, 'messages').some(isOld))
  );
}

/** OpenAI's fields that Groq and Mistral, who answer 400 and 422 to strangers, do not have. */
const openaiFields = [
  'logprobs',
  'top_logprobs',
  'logit_bias',
  'store',
  'metadata',
  'modalities',
  'moderation',
  'verbosity',
  'web_search_options',
  'prompt_cache_key',
  'prompt_cache_retention',
  'safety_identifier',
] as const;

function hasForeignFields(fields: JsonObject, { vendor }: ChatProfile): boolean {
  // Words of Groq's for saying nothing.
  if (vendor !== 'groq' && (fields['reasoning_effort'] === 'default' || fields['service_tier'] === 'on_demand')) return true;
  return (vendor === 'groq' || vendor === 'mistral') && openaiFields.some((name) => isThere(fields[name]));
}

function takesSettings(fields: JsonObject, profile: ChatProfile): boolean {
  const { max_completion_tokens: maximum, reasoning_effort: effort, response_format: format, seed } = fields;
  if (isThere(maximum) && profile.maxTokensField !== 'max_completion_tokens') return false;
  if (isThere(effort) && profile.effort !== 'reasoning-effort' && profile.effort !== 'none') return false;
  if (isThere(seed) && profile.seedField === 'random_seed') return false;
  const hasSchema = isJsonObject(format) && format['type'] === 'json_schema';
  return !hasSchema || profile.jsonSchema === 'native';
}

/** Where an answer ends, and how it is drawn. */
function takesSampling(request: ModelRequest, fields: JsonObject, profile: ChatProfile): boolean {
  const { max_tokens: maximum, max_completion_tokens: newMaximum, stop } = fields;
  if (maximum === 0 || newMaximum === 0) return false;
  if (profile.vendor === 'openai' && !takesAtOpenai(request, fields, profile)) return false;
  const count = Array.isArray(stop) ? stop.length : 1;
  return !isThere(stop) || (count > 0 && count === request.stop.length && count <= profile.maxStops);
}

/** Which settings a model of OpenAI refuses depends on the model. */
function takesAtOpenai(request: ModelRequest, fields: JsonObject, profile: ChatProfile): boolean {
  if (isThere(fields['max_tokens']) && isThinkingModel(request.model)) return false;
  let isWhole = true;
  const report = (): void => {
    isWhole = false;
  };
  toChatSampling(request, profile, report);
  toChatThinking(request, profile, report);
  return isWhole;
}

function takesTools(request: ModelRequest, fields: JsonObject, profile: ChatProfile): boolean {
  const { tool_choice: choice, parallel_tool_calls: isParallel } = fields;
  const tools = listOf(fields, 'tools');
  // Servers refuse an empty list, and what is said of tools that are not there.
  const isEmpty = tools.length === 0 && !isThere(fields['functions']);
  if (isEmpty && (isThere(fields['tools']) || isThere(choice) || isThere(isParallel))) return false;
  if (!tools.every((tool) => isOwnTool(tool, profile))) return false;
  if (isParallel === false && profile.parallelByDefault === null) return false;
  if (isThere(choice) && choice !== 'auto' && !takesChoice(choice, profile)) return false;
  const names = chatToolNames(request, profile);
  const called = request.input.flatMap((item) => (item.type === 'call' ? [item.name] : []));
  return [...request.tools.map(({ name }) => name), ...called].every((name) => names.toAlias(name) === name);
}

/** Only OpenAI has custom tools; only Mistral guesses the type. */
function isOwnTool(tool: unknown, { vendor, isMistral }: ChatProfile): boolean {
  const type: unknown = isJsonObject(tool) ? tool['type'] : undefined;
  return type === 'function' || (type === 'custom' ? vendor === 'openai' : isMistral);
}

function takesChoice(choice: unknown, { toolChoice }: ChatProfile): boolean {
  switch (toolChoice) {
    case 'named':
      return choice !== 'any';
    case 'words':
      return choice === 'none' || choice === 'required';
    case 'any':
      return choice === 'none' || choice === 'any';
    case 'ignored':
      return false;
  }
}

function takesHistory({ input }: ModelRequest, profile: ChatProfile): boolean {
  if (!profile.hasDeveloperRole && input.some(isDeveloper)) return false;
  if (profile.hasStrictTemplates && !isInTurns(input)) return false;
  if (profile.parsesArguments && input.some(hasBrokenArguments)) return false;
  return !profile.isMistral || !input.some(({ type }) => type === 'call');
}

function isDeveloper(item: InputItem): boolean {
  return item.type === 'message' && item.role === 'developer';
}

/** System text first and nowhere else, and no two messages of a user in a row. */
function isInTurns(input: readonly InputItem[]): boolean {
  const roles = input.flatMap((item) => (item.type === 'reasoning' ? [] : [item.type === 'message' ? item.role : item.type]));
  return roles.every((role, at) => {
    if (role === 'system') return at === 0 && roles.length > 1;
    return role !== 'user' || roles[at - 1] !== 'user';
  });
}

function hasBrokenArguments(item: InputItem): boolean {
  return item.type === 'call' && !isJsonObject(parseJson(item.arguments));
}

function listOf(fields: JsonObject, name: string): readonly unknown[] {
  const value = fields[name];
  return Array.isArray(value) ? value : [];
}

function isThere(value: unknown): boolean {
  return value !== undefined && value !== null;
}
