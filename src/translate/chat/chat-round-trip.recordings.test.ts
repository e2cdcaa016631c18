import { existsSync, readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { createReasoningEnvelope } from '../../engine/reasoning-envelope.ts';
import { toInputItems } from '../../engine/to-input-items.ts';
import { toModelRequest } from '../../engine/to-model-request.ts';
import { isJsonObject, parseJson, type JsonObject } from '../../lib/json.ts';
import { createChatProfile } from './chat-profile.ts';
import { fromChatRequest } from './from-chat-request.ts';
import { toChatRequest } from './to-chat-request.ts';

const recordings = new URL('../../../../shared/recordings/dev/', import.meta.url);
const isThere = existsSync(recordings);
if (!isThere) console.log(`skipped: ${recordings.pathname} is not here`);

const profile = createChatProfile({ baseUrl: 'https://api.openai.com/v1' });
const envelope = createReasoningEnvelope({ keys: [new Uint8Array(32)], randomBytes: (size) => new Uint8Array(size) });

/** What the chat backend sends of a body that came in through the chat door. */
function passOn(body: JsonObject): unknown {
  const { request } = fromChatRequest(body);
  const own = request.input.map((item, at) => ({ item, path: `input[${String(at)}]` }));
  const history = toInputItems({ inherited: [], own }, { owner: 'me', strict: false }, envelope);
  const model = toModelRequest(request, { model: request.model ?? '', input: history.items, session: null }).value;
  return JSON.parse(JSON.stringify(toChatRequest(model, profile).value));
}

/**
 * The normal form: what means the same to OpenAI is written in one way. Defaults are left out (`n: 1`, `tool_choice: auto`, `strict: false` of a tool, nulls); texts side by side are
 * one; the newer names count (`max_completion_tokens`, `tools`); a stream always counts its tokens. Of tools, only those stay that the choice
 * allows. Searches and moderation are losses that the door and the backend report.
 */
function toNormalForm(body: JsonObject): JsonObject {
  const { messages, max_tokens, functions, function_call, tools, response_format, ...rest } = body;
  const declared = Array.isArray(functions) ? functions.map((one: unknown) => ({ type: 'function', function: one })) : tools;
  const choice = rest['tool_choice'] ?? function_call;
  return withoutNothing({
    ...rest,
    messages: Array.isArray(messages) ? messages.flatMap(toMessage) : messages,
    tools: Array.isArray(declared) ? declared.map(toTool).filter((tool) => isAllowed(tool, choice)) : undefined,
    tool_choice: choice === 'auto' ? undefined : choice,
    parallel_tool_calls: Array.isArray(functions) ? false : rest['parallel_tool_calls'] === false ? false : undefined,
    max_completion_tokens: rest['max_completion_tokens'] ?? max_tokens,
    response_format: toFormat(response_format),
    stream: rest['stream'] === true ? true : undefined,
    stream_options: rest['stream'] === true ? { include_usage: true } : undefined,
    logprobs: rest['logprobs'] === true ? true : undefined,
    ...{ n: undefined, web_search_options: undefined, moderation: undefined },
  });
}

function toMessage(message: JsonObject): JsonObject[] {
  const { role, content, tool_calls: calls, tool_call_id, refusal } = message;
  const made = Array.isArray(calls)
    ? (calls as JsonObject[]).map(({ id, function: called }) => ({ id, type: 'function', function: called }))
    : undefined;
  const said = toContent(content);
  const plain = withoutNothing({ role, tool_call_id, tool_calls: made, refusal });
  return [{ ...plain, content: said === '' && role === 'assistant' ? null : said }];
}

function toContent(content: unknown): unknown {
  if (!Array.isArray(content)) return content ?? '';
  const parts = content as JsonObject[];
  return parts.every(({ type }) => type === 'text') ? parts.map(({ text }) => text).join('\n\n') : parts.map(toPart);
}

/** A file needs a name. */
function toPart(part: JsonObject): JsonObject {
  const rest = withoutNothing({ ...part, cache_control: undefined });
  return isJsonObject(rest['file']) ? { ...rest, file: { filename: 'document.pdf', ...rest['file'] } } : rest;
}

function toTool({ function: declared }: JsonObject): JsonObject {
  const { strict, ...rest } = declared as JsonObject;
  const empty = { type: 'object', properties: {} };
  return {
    type: 'function',
    function: { parameters: empty, ...withoutNothing({ ...rest, strict: strict === true ? true : undefined }) },
  };
}

function isAllowed({ function: declared }: JsonObject, choice: unknown): boolean {
  if (!isJsonObject(choice)) return true;
  return (choice['function'] as JsonObject)['name'] === (declared as JsonObject)['name'];
}

function toFormat(format: unknown): unknown {
  if (!isJsonObject(format) || format['type'] === 'text') return undefined;
  return isJsonObject(format['json_schema']) ? { ...format, json_schema: { strict: false, ...format['json_schema'] } } : format;
}

function withoutNothing(object: JsonObject): JsonObject {
  return Object.fromEntries(Object.entries(object).filter(([, value]) => value !== undefined && value !== null));
}

/** Not answered by OpenAI either. */
const refused = /chat-no-messages|url-audio-openai_chat/;

test.skipIf(!isThere).each(['openai-chat-stream', 'openai-chat-sync'])('%s: recorded requests leave as they came', (file) => {
  const lines = readFileSync(new URL(`${file}.jsonl`, recordings), 'utf8')
    .split('\n')
    .map(parseJson)
    .filter(isJsonObject);
  const bodies = lines.flatMap(({ id, request }) => {
    if (!isJsonObject(request) || !isJsonObject(request['body']) || refused.test(String(id))) return [];
    return [{ id: String(id), body: request['body'] }];
  });
  const faults: object[] = [];
  for (const { id, body } of bodies) {
    const [came, left] = [toNormalForm(body), passOn(body)];
    try {
      expect(left).toEqual(came);
    } catch {
      faults.push({ id, came: JSON.stringify(came).slice(0, 900), left: JSON.stringify(left).slice(0, 900) });
    }
  }
  console.log(
    `recorded requests of ${file} through door and backend: ${String(bodies.length - faults.length)} of ${String(bodies.length)}`,
  );
  expect(faults).toEqual([]);
});
