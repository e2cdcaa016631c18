import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { isJsonObject, parseJson, type JsonObject } from '../../lib/json.ts';
import { GatewayError } from '../../model/errors.ts';
import { fromChatRequest } from './from-chat-request.ts';

/** Requests of real clients and SDKs as they went over the wire; not part of this repository. */
const clients = new URL('../../../../shared/clients/', import.meta.url);
const recordings = new URL('../../../../shared/recordings/dev/', import.meta.url);
const recordingFiles = ['openai-chat-stream', 'openai-chat-sync', 'chat-compat-stream', 'chat-compat-sync'];

function isThere(folder: URL): boolean {
  if (existsSync(folder)) return true;
  console.log(`skipped: ${folder.pathname} is not here`);
  return false;
}

function readLines(folder: URL, file: string): JsonObject[] {
  return readFileSync(new URL(file, folder), 'utf8').split('\n').map(parseJson).filter(isJsonObject);
}

/** `ok`, or the error as `code at param`. */
function outcomeOf(body: unknown): string {
  try {
    const { request, names } = fromChatRequest(body);
    return request.input.length === names.inputs.length ? 'ok' : 'items without a name';
  } catch (thrown) {
    if (!(thrown instanceof GatewayError)) throw thrown;
    return `${thrown.code} at ${String(thrown.param)}`;
  }
}

test.skipIf(!isThere(clients))('every captured request to /chat/completions is understood', () => {
  const outcomes = readdirSync(clients).flatMap((file) =>
    readLines(clients, file)
      .filter(({ method, path }) => method === 'POST' && String(path).endsWith('/chat/completions'))
      .map(({ run, seq, body }) => {
        const sent = typeof body === 'string' ? parseJson(body) : body;
        return { name: `${file} ${String(run)}#${String(seq)}`, outcome: outcomeOf(sent) };
      }),
  );
  const faults = outcomes.filter(({ outcome }) => outcome !== 'ok');
  console.log(`captured chat requests: ${String(outcomes.length - faults.length)} of ${String(outcomes.length)}`);
  expect(faults).toEqual([]);
  expect(outcomes.length).toBeGreaterThan(5);
});

/** Requests that OpenAI refused too, and how we do. */
const refused: Readonly<Record<string, string>> = {
  'envoy-ai-gateway:chat-no-messages#0': 'empty_array at messages',
  'pydantic-ai:test_multimodal_tool_returns/test_multimodal_tool_return_matrix[direct-url-audio-openai_chat]#2':
    'unsupported_value at messages[3].content[1].type',
  'pydantic-ai:test_multimodal_tool_returns/test_multimodal_tool_return_matrix[tool_return_content-url-audio-openai_chat]#2':
    'unsupported_value at messages[3].content[0].type',
};

test.skipIf(!isThere(recordings)).each(recordingFiles)('every recorded request is understood: %s', (file) => {
  const outcomes = readLines(recordings, `${file}.jsonl`).flatMap(({ id, request }) => {
    if (!isJsonObject(request) || !isJsonObject(request['body'])) return [];
    return [{ name: String(id), outcome: outcomeOf(request['body']) }];
  });
  const faults = outcomes.filter(({ name, outcome }) => outcome !== (refused[name] ?? 'ok'));
  const known = outcomes.filter(({ name }) => refused[name] !== undefined).length;
  console.log(
    `recorded requests of ${file}: ${String(outcomes.length - faults.length)} of ${String(outcomes.length)}, ${String(known)} of them refused, as by OpenAI`,
  );
  expect(faults).toEqual([]);
  expect(outcomes.length).toBeGreaterThan(5);
});
