import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import { drainTurn, plainRequest, textOf } from '../../../test/backend-suite.ts';
import { counterId } from '../../../test/counter-id.ts';
import { installAiSdkPackage } from '../../../test/doubles/ai-sdk-package.ts';
import { answerWith, openChatUpstream, type ChatAnswer, type ChatUpstream } from '../../../test/doubles/chat-upstream.ts';
import { scratchFolder } from '../../../test/scratch-folder.ts';
import type { GatewayError } from '../../model/errors.ts';
import type { ModelRequest } from '../../model/model-request.ts';
import { createAiSdkBackend, type AiSdkBackendOptions } from './ai-sdk-backend.ts';

const folder = scratchFolder();
const apiKey = 'sk-very-secret-key';
const finish = { type: 'finish', finishReason: { unified: 'stop', raw: 'end' }, usage: {} };

async function open(options: object, change: Partial<AiSdkBackendOptions> = {}) {
  await installAiSdkPackage(folder);
  return createAiSdkBackend({
    ...{ name: 'fake', packageName: '@fake/provider', folders: [folder], modelIds: ['one', 'two'], newId: counterId() },
    options: { apiKey, ...options },
    timeouts: { firstByteMs: 5000, idleMs: 5000 },
    ...change,
  });
}

async function upstreamOf(answer: ChatAnswer): Promise<ChatUpstream> {
  const upstream = await openChatUpstream(answer);
  onTestFinished(() => upstream.close());
  return upstream;
}

const partsOf =
  (...parts: readonly object[]): ChatAnswer =>
  (response) =>
    void response.writeHead(200).end(parts.map((part) => `${JSON.stringify(part)}\n`).join(''));

async function ask(answer: ChatAnswer, change: Partial<ModelRequest> = {}, options: Partial<AiSdkBackendOptions> = {}) {
  const { url: baseURL, seen } = await upstreamOf(answer);
  const backend = await open({ baseURL }, options);
  const turn = await backend.prepareTurn(plainRequest('one', 'Hi', change));
  return { events: await drainTurn(turn), losses: turn.losses, seen };
}

const failureOf = (answer: ChatAnswer, change: Partial<ModelRequest> = {}): Promise<unknown> =>
  ask(answer, change).then(
    () => undefined,
    (thrown: unknown) => thrown,
  );

describe('a call', () => {
  test('is what the provider makes of our options, with our headers', async () => {
    const { seen, events } = await ask(
      partsOf({ type: 'text-delta', id: '0', delta: 'Yes' }, finish),
      {},
      { headers: { 'x-team': 'a' } },
    );
    expect(textOf(events)).toBe('Yes');
    expect(seen[0]?.headers).toMatchObject({ authorization: `Bearer ${apiKey}`, 'x-team': 'a' });
    expect(seen[0]?.body).toEqual({ modelId: 'one', prompt: [{ role: 'user', content: [{ type: 'text', text: 'Hi' }] }] });
  });

  test('hands over URLs that the provider says it fetches, every time, and no others', async () => {
    const image = (url: string) => ({ type: 'image', source: { type: 'url', url }, detail: null, path: 'input[0]' }) as const;
    const urls = ['https://example.org/a.png', 'https://example.org/b.png', 'http://127.0.0.1/c.png'];
    const input = [{ type: 'message', role: 'user', content: urls.map(image), path: 'input[0]' }] as const;
    const { seen, losses } = await ask(partsOf(finish), { input });
    expect(seen[0]?.body).toMatchObject({
      prompt: [{ content: urls.slice(0, 2).map((data) => ({ data, mediaType: 'image/png' })) }],
    });
    expect(losses).toMatchObject([{ path: 'input[0]', action: 'dropped' }]);
  });

  test('to a model the provider refuses is model_not_found', async () => {
    const backend = await open({});
    await expect(async () => backend.prepareTurn(plainRequest('unheard-of', 'Hi'))).rejects.toMatchObject({
      code: 'model_not_found',
    });
  });
});

describe('trouble', () => {
  test('of the server has the code of its status, and hides our credentials', async () => {
    const refuse = answerWith(401, { error: { message: `bad key ${apiKey}` } });
    expect(await failureOf(refuse)).toMatchObject({ code: 'upstream_auth_failed' });
    const limit = answerWith(429, { error: { message: `slow down, ${apiKey}` } }, { 'retry-after': '7' });
    const error = (await failureOf(limit)) as GatewayError;
    expect(error).toMatchObject({ code: 'rate_limit_exceeded', retryAfter: 7 });
    expect(error.message).toContain('slow down, [secret]');
    expect(await failureOf(answerWith(400, { error: { message: 'maximum context length' } }))).toMatchObject({
      code: 'context_length_exceeded',
    });
  });

  test('of the network is upstream_unreachable', async () => {
    const backend = await open({ baseURL: 'http://127.0.0.1:1' });
    const turn = await backend.prepareTurn(plainRequest('one', 'Hi'));
    const thrown = await drainTurn(turn).catch((error: unknown) => error);
    expect(thrown).toMatchObject({ code: 'upstream_unreachable', isRetryable: true });
  });

  test('in the middle of an answer ends it as cut', async () => {
    const breakOff: ChatAnswer = (response) => {
      response.writeHead(200);
      response.write(`${JSON.stringify({ type: 'text-delta', id: '0', delta: 'Half' })}\n`, () => response.destroy());
    };
    expect(await failureOf(breakOff)).toMatchObject({ code: 'upstream_truncated' });
    const { events } = await ask(partsOf({ type: 'text-delta', id: '0', delta: 'Half' }));
    expect(events.at(-1)).toMatchObject({ type: 'failure', error: { code: 'upstream_truncated' } });
  });

  test('that an error part tells is a failure with its code', async () => {
    const error = { type: 'overloaded_error', message: 'Overloaded' };
    const { events } = await ask(partsOf({ type: 'error', error }, finish));
    expect(events).toMatchObject([{ type: 'failure', error: { code: 'upstream_overloaded' } }]);
  });

  test('of a whole answer is thrown', async () => {
    const whole = answerWith(200, { content: [], finishReason: { unified: 'error' }, usage: {}, warnings: [] });
    expect(await failureOf(whole, { stream: false })).toMatchObject({ code: 'upstream_error' });
  });

  test('silence ends with upstream_timeout, before the answer and in it', async () => {
    const timeouts = { firstByteMs: 20, idleMs: 20 };
    const silent: ChatAnswer = () => undefined;
    await expect(ask(silent, {}, { timeouts })).rejects.toMatchObject({ code: 'upstream_timeout' });
    await expect(ask(silent, { stream: false }, { timeouts })).rejects.toMatchObject({ code: 'upstream_timeout' });
    const stalled: ChatAnswer = (response) => {
      response.writeHead(200).flushHeaders();
    };
    await expect(ask(stalled, {}, { timeouts: { firstByteMs: 5000, idleMs: 20 } })).rejects.toMatchObject({
      code: 'upstream_timeout',
    });
  });
});

describe('the package', () => {
  const missing = (change: Partial<AiSdkBackendOptions>): Promise<string> =>
    open({}, change).then(
      () => 'it was loaded',
      (thrown: unknown) => (thrown as Error).message,
    );

  test('that is not installed is named with the command that installs it', async () => {
    expect(await missing({ packageName: '@fake/absent/sub' })).toContain('run `npm i @fake/absent` in ');
  });

  test('is found in the first folder that has it, also in one above', async () => {
    const inner = join(folder, 'a', 'b');
    await mkdir(inner, { recursive: true });
    expect(await missing({ folders: [inner] })).toBe('it was loaded');
  });

  test('of another version of the interface is refused', async () => {
    expect(await missing({ options: { version: 'v4' } })).toContain('speaks version 4');
  });

  test('that refuses its options says so, without them', async () => {
    const message = await missing({ options: { refuses: true, apiKey } });
    expect(message).toContain('refuses its options: no such option: [secret]');
  });

  test('that is no provider, or does not load, is told apart', async () => {
    await installAiSdkPackage(folder, 'plain', 'export const createNothing = () => 7; export default class Thing {}');
    expect(await missing({ packageName: 'plain' })).toContain('refuses its options');
    await installAiSdkPackage(folder, 'empty', 'export const version = 1;');
    expect(await missing({ packageName: 'empty' })).toContain('is no provider of the AI SDK');
    await installAiSdkPackage(folder, 'broken', 'this is no program');
    expect(await missing({ packageName: 'broken' })).toContain('cannot be loaded');
  });

  test('in CommonJS, or with a default export alone, works too', async () => {
    const root = join(folder, 'node_modules', 'common');
    await mkdir(root, { recursive: true });
    await writeFile(join(root, 'package.json'), JSON.stringify({ name: 'common', main: 'main.js' }));
    await writeFile(join(root, 'main.js'), 'module.exports = { createCommon: () => ({ languageModel: () => null }) };');
    expect(await missing({ packageName: 'common' })).toBe('it was loaded');
    await installAiSdkPackage(folder, 'alone', 'export default () => ({ languageModel: () => null });');
    expect(await missing({ packageName: 'alone' })).toBe('it was loaded');
  });
});

test('the models are those of the configuration', async () => {
  const backend = await open({});
  expect(await backend.listModels(new AbortController().signal)).toEqual([
    { id: 'one', created: null, ownedBy: null },
    { id: 'two', created: null, ownedBy: null },
  ]);
});
