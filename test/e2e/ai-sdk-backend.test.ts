import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { loadSettings } from '../../src/config/load-settings.ts';
import { createGateway, type Gateway } from '../../src/gateway.ts';
import { isJsonObject } from '../../src/lib/json.ts';
import { installAiSdkPackage } from '../doubles/ai-sdk-package.ts';
import { openChatUpstream } from '../doubles/chat-upstream.ts';
import { postResponse } from '../doubles/post-response.ts';
import { scratchFolder } from '../scratch-folder.ts';

const folder = scratchFolder();
const meta = { fake: { signature: 's' } };
const finish = {
  type: 'finish',
  finishReason: { unified: 'tool-calls', raw: 'x' },
  usage: { inputTokens: { total: 3 }, outputTokens: { total: 2 } },
};

async function start(baseURL: string, packageName = '@fake/provider'): Promise<Gateway> {
  await installAiSdkPackage(folder);
  const file = join(folder, 'antiphon.yaml');
  await writeFile(
    file,
    `store: { url: "memory:" }
log: { level: silent }
discovery: false
backends:
  fake:
    type: ai-sdk
    package: '${packageName}'
    options: { baseURL: '${baseURL}', apiKey: sk-very-secret }
    model_ids: [one]
`,
  );
  const settings = await loadSettings({
    ...{
      argv: ['--config', file, '--port', '0', '--data', join(folder, 'data')],
      env: {},
      workingDirectory: folder,
      homeDirectory: folder,
    },
    readFile: (path) => readFile(path, 'utf8').catch(() => undefined),
  });
  const gateway = createGateway(settings);
  onTestFinished(() => gateway.close());
  return gateway;
}

test('a turn with thinking and a call comes back with what was bound to it', async () => {
  const parts = [
    { type: 'stream-start', warnings: [] },
    { type: 'reasoning-start', id: 'r' },
    { type: 'reasoning-delta', id: 'r', delta: 'Hm' },
    { type: 'reasoning-end', id: 'r', providerMetadata: meta },
    { type: 'tool-call', toolCallId: 'call_1', toolName: 'get', input: '{"x":1}', providerMetadata: meta },
    finish,
  ];
  const upstream = await openChatUpstream((response) => {
    response.writeHead(200).end(parts.map((part) => `${JSON.stringify(part)}\n`).join(''));
  });
  onTestFinished(() => upstream.close());
  const { url } = await (await start(upstream.url)).listen();
  const tools = [{ type: 'function', name: 'get', parameters: { type: 'object' }, strict: false }];
  const first = await postResponse(url, { model: 'fake/one', input: 'Hi', tools, stream: true, reasoning: { summary: 'auto' } });
  expect(first.faults).toEqual([]);
  expect(first.body.output.map((item) => item.type)).toEqual(['reasoning', 'function_call']);
  const input = [{ type: 'function_call_output', call_id: 'call_1', output: 'sunny' }];
  const next = await postResponse(url, { model: 'fake/one', input, tools, stream: true, previous_response_id: first.body.id });
  expect(next.faults).toEqual([]);
  const { body } = upstream.seen.at(-1) ?? {};
  expect(isJsonObject(body) && body['prompt']).toEqual([
    { role: 'user', content: [{ type: 'text', text: 'Hi' }] },
    {
      role: 'assistant',
      content: [
        { type: 'reasoning', text: 'Hm', providerOptions: meta },
        { type: 'tool-call', toolCallId: 'call_1', toolName: 'get', input: { x: 1 }, providerOptions: meta },
      ],
    },
    {
      role: 'tool',
      content: [{ type: 'tool-result', toolCallId: 'call_1', toolName: 'get', output: { type: 'text', value: 'sunny' } }],
    },
  ]);
});

test('a package that is not installed is told at the start', async () => {
  const gateway = await start('http://127.0.0.1:1', '@fake/absent');
  await gateway.listen();
  await expect(gateway.describe()).rejects.toThrow(
    /backends\.fake: the package @fake\/absent is not installed: run `npm i @fake\/absent`/,
  );
});
