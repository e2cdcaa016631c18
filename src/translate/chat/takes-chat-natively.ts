import { isJsonObject, parseJson, type JsonObject } from '../../lib/json.ts';
import type { ContentPart, InputItem, ModelRequest } from '../../model/model-request.ts';
import type { ChatProfile } from './chat-profile.ts';
import { chatToolNames } from './to-chat-request.ts';

/**
 * Whether a server of this profile understands a client's body as it is. Not so where the translation would say something in other words for it, where we do for the server what it cannot do itself
 * (a `tool_choice` that it ignores), and where a server in our own network would fetch what a client names. Fields that nobody here knows are the server's matter.
 */
export function takesChatNatively(request: ModelRequest, fields: JsonObject, profile: ChatProfile): boolean {
  if (profile.thinkTags || isOldForm(fields, profile)) return false;
  return takesSettings(fields, profile) && takesTools(request, fields, profile) && takesHistory(request, profile);
}

/** `functions` and their like: all but OpenAI have forgotten them. */
function isOldForm(fields: JsonObject, { vendor }: ChatProfile): boolean {
  const { messages } = fields;
  const list: readonly unknown[] = Array.isArray(messages) ? messages : [];
  const isOld = (message: unknown): boolean =>
    isJsonObject(message) && (message['role'] === 'function' || isThere(message['function_call']));
  return vendor !== 'openai' && (isThere(fields['functions']) || isThere(fields['function_call']) || list.some(isOld));
}

function takesSettings(fields: JsonObject, profile: ChatProfile): boolean {
  const { max_completion_tokens: maximum, reasoning_effort: effort, response_format: format, seed } = fields;
  if (isThere(maximum) && profile.maxTokensField !== 'max_completion_tokens') return false;
  if (isThere(effort) && profile.effort !== 'reasoning-effort' && profile.effort !== 'none') return false;
  if (isThere(seed) && profile.seedField === 'random_seed') return false;
  const hasSchema = isJsonObject(format) && format['type'] === 'json_schema';
  return !hasSchema || profile.jsonSchema === 'native';
}

function takesTools(request: ModelRequest, fields: JsonObject, profile: ChatProfile): boolean {
  const { tool_choice: choice, parallel_tool_calls: isParallel } = fields;
  if (isParallel === false && profile.parallelByDefault === null && request.tools.length > 0) return false;
  if (isThere(choice) && choice !== 'auto' && !takesChoice(choice, profile)) return false;
  const names = chatToolNames(request, profile);
  return request.tools.every(({ name }) => names.toAlias(name) === name);
}

function takesChoice(choice: unknown, { toolChoice }: ChatProfile): boolean {
  switch (toolChoice) {
    case 'named':
      return true;
    case 'words':
      return choice === 'none' || choice === 'required';
    case 'any':
      return choice === 'none';
    case 'ignored':
      return false;
  }
}

function takesHistory({ input }: ModelRequest, profile: ChatProfile): boolean {
  if (!profile.hasDeveloperRole && input.some(isDeveloper)) return false;
  if (profile.hasStrictTemplates && !isInTurns(input)) return false;
  if (profile.parsesArguments && input.some(hasBrokenArguments)) return false;
  if (profile.isMistral && input.some(({ type }) => type === 'call')) return false;
  return profile.fetchesUrls || !input.some(hasUrl);
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

function hasUrl(item: InputItem): boolean {
  return 'content' in item && item.content.some(isUrl);
}

function isUrl(part: ContentPart): boolean {
  return 'source' in part && part.source.type === 'url';
}

function isThere(value: unknown): boolean {
  return value !== undefined && value !== null;
}
