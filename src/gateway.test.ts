import { createServer, type Server } from 'node:http';
import { mkdtemp, rm } from 'node:fs/promises';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, expectTypeOf, test } from 'vitest';
import { loadSettings } from './config/load-settings.ts';
import type { ChatVendor as ConfiguredVendor, Settings } from './config/settings.ts';
import { createGateway, type Gateway, type GatewayOverrides } from './gateway.ts';
import type { ChatVendor } from './translate/chat/chat-profile.ts';

let directory: string;
const gateways: Gateway[] = [];
const servers: Server[] = [];

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'antiphon-gateway-'));
});

afterEach(async () => {
  for (const gateway of gateways.splice(0)) await gateway.close();
  for (const server of servers.splice(0)) server.close().closeAllConnections();
  await rm(directory, { recursive: true });
});

/** Settings of a file with that text, quiet, with a data directory of its own. */
function settingsOf(yaml: string, env: Record<string, string> = {}): Promise<Settings> {
  return loadSettings({
    argv: ['--port', '0', '--data', directory],
    env: { ANTIPHON_LOG_LEVEL: 'silent', ...env },
    workingDirectory: directory,
    homeDirectory: directory,
    readFile: (path) => Promise.resolve(path === join(directory, 'antiphon.yaml') ? yaml : undefined),
  });
}

async function openGateway(
  settings: Settings,
  overrides: GatewayOverrides = { localServers: [] },
): Promise<{ gateway: Gateway; url: string }> {
  const gateway = createGateway(settings, overrides);
  gateways.push(gateway);
  return { gateway, url: (await gateway.listen()).url };
}

/** A model server that lists these models and remembers what it was asked. */
async function openModelServer(ids: readonly string[]): Promise<{ port: number; asked: string[] }> {
  const asked: string[] = [];
  const server = createServer((request, response) => {
    asked.push(`${String(request.method)} ${String(request.url)} ${request.headers.authorization ?? '-'}`);
    const list = { object: 'list', data: ids.map((id) => ({ id, object: 'model', created: 1, owned_by: 'library' })) };
    response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(list));
  });
  servers.push(server);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return { port: (server.address() as AddressInfo).port, asked };
}

function ask(url: string, body: unknown, headers: Record<string, string> = {}): Promise<Response> {
  return fetch(`${url}/v1/responses`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...headers },
    body: JSON.stringify(body),
  });
}

async function modelIds(url: string): Promise<string[]> {
  const list = (await (await fetch(`${url}/v1/models`)).json()) as { data: { id: string }[] };
  return list.data.map(({ id }) => id);
}

test('a gateway without any configuration answers by itself, and keeps what it answered over a restart', async () => {
  const settings = await settingsOf('');
  const { gateway, url } = await openGateway(settings);
  const answer = await ask(url, { input: 'Hello!' });
  expect(answer.status).toBe(200);
  const response = (await answer.json()) as { id: string; model: string; status: string };
  expect(response).toMatchObject({ model: 'rehearsal/default', status: 'completed' });
  expect(response.id).toMatch(/^resp_[0-9a-f]{48}$/);
  await gateway.close();
  const again = await openGateway(settings);
  const stored = await fetch(`${again.url}/v1/responses/${response.id}`);
  expect(await stored.json()).toMatchObject({ id: response.id });
});

test('the start-up lines say what there is and show a command that works', async () => {
  const { gateway, url } = await openGateway(await settingsOf('store: { url: "memory:" }'));
  const lines = await gateway.describe();
  const text = lines.join('\n');
  expect(text).toMatch(/backends\s+rehearsal\s+built in.*models/);
  expect(text).toMatch(/default model\s+rehearsal\/default/);
  expect(text).toMatch(/responses\s+in memory/);
  const command = lines.find((line) => line.includes('curl '));
  expect(command).toContain(`curl ${url}/v1/responses -H 'Content-Type: application/json'`);
  const [, body] = /-d '(.*)'$/.exec(command ?? '') ?? [];
  expect((await ask(url, JSON.parse(body ?? ''))).status).toBe(200);
});

test('with keys nobody is let in without one, and the command shows where it goes', async () => {
  const { gateway, url } = await openGateway(await settingsOf('store: { url: "memory:" }', { ANTIPHON_API_KEY: 'sk-test' }));
  expect((await ask(url, { input: 'x' })).status).toBe(401);
  expect((await ask(url, { input: 'x' }, { authorization: 'Bearer sk-test' })).status).toBe(200);
  const text = (await gateway.describe()).join('\n');
  expect(text).toContain('-H "Authorization: Bearer $ANTIPHON_API_KEY"');
  expect(text).not.toContain('sk-test');
});

test('a model server on this machine is found; its only model is the default', async () => {
  const { port, asked } = await openModelServer(['llama3:8b']);
  const localServers = [{ name: 'ollama', port, vendor: 'ollama' as const }];
  const { gateway, url } = await openGateway(await settingsOf('store: { url: "memory:" }'), { localServers });
  const text = (await gateway.describe()).join('\n');
  expect(text).toContain(`found on 127.0.0.1:${String(port)}, 1 model`);
  expect(text).toMatch(/default model\s+ollama\/llama3:8b/);
  expect(await modelIds(url)).toContain('ollama/llama3:8b');
  expect(new Set(asked)).toEqual(new Set(['GET /v1/models -']));
});

test('discovery can be turned off', async () => {
  const { port, asked } = await openModelServer(['llama3:8b']);
  const localServers = [{ name: 'ollama', port, vendor: 'ollama' as const }];
  const { url } = await openGateway(await settingsOf('discovery: false\nstore: { url: "memory:" }'), { localServers });
  expect(await modelIds(url)).not.toContain('ollama/llama3:8b');
  expect(asked).toEqual([]);
});

test('with a choice of models there is no default: the request names one, by backend, alias or bare id', async () => {
  const { port } = await openModelServer(['one', 'two']);
  const yaml = `
store: { url: "memory:" }
backends: { lab: { type: chat, base_url: "http://127.0.0.1:${String(port)}/v1", api_key: lab-key } }
models: { aliases: { talk: rehearsal/default } }
`;
  const { gateway, url } = await openGateway(await settingsOf(yaml));
  const refused = await ask(url, { input: 'x' });
  expect(refused.status).toBe(400);
  expect(await refused.json()).toMatchObject({ error: { code: 'missing_required_parameter', param: 'model' } });
  expect((await ask(url, { model: 'talk', input: 'x' })).status).toBe(200);
  const unknown = (await (await ask(url, { model: 'tow', input: 'x' })).json()) as { error: { message: string } };
  expect(unknown.error.message).toContain("Did you mean 'two'?");
  expect(await modelIds(url)).toEqual(expect.arrayContaining(['lab/one', 'lab/two', 'talk']));
  const text = (await gateway.describe()).join('\n');
  expect(text).toMatch(/default model\s+none/);
  expect(text).toContain('"model":"lab/two"');
});

test('a default that leads nowhere, and a backend that does not answer, show in the start-up lines', async () => {
  const yaml = `
store: { url: "memory:" }
backends: { gone: { type: chat, base_url: "http://127.0.0.1:9/v1" } }
models: { default: nowhere }
`;
  const { gateway } = await openGateway(await settingsOf(yaml));
  const text = (await gateway.describe()).join('\n');
  expect(text).toMatch(/gone\s+from .*antiphon\.yaml; it does not list its models: /);
  expect(text).toContain("The model 'nowhere' does not exist.");
  expect(text).toContain('"model":"rehearsal/default"');
});

test('a port in use is refused, and nothing stays open', async () => {
  const first = await openGateway(await settingsOf('store: { url: "memory:" }'));
  const settings = await settingsOf('');
  const port = Number(new URL(first.url).port);
  const second = createGateway({ ...settings, server: { ...settings.server, port } }, { localServers: [] });
  await expect(second.listen()).rejects.toMatchObject({ code: 'EADDRINUSE' });
  await second.close();
  await openGateway(settings);
});

test('what is too old goes when the gateway starts', async () => {
  const settings = await settingsOf('store: { retention: { max_age: 1h } }');
  const { gateway, url } = await openGateway(settings);
  const { id } = (await (await ask(url, { input: 'x' })).json()) as { id: string };
  await gateway.close();
  const later = await openGateway(settings, { localServers: [], now: () => Date.now() + 3 * 3_600_000 });
  // Closing waits for the removal that began at the start.
  await later.gateway.close();
  const last = await openGateway(settings);
  expect((await fetch(`${last.url}/v1/responses/${id}`)).status).toBe(404);
});

test('the vendors of the configuration are those the translator knows', () => {
  expectTypeOf<ConfiguredVendor>().toEqualTypeOf<ChatVendor>();
});
