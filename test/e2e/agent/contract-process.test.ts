import { execFile } from 'node:child_process';
import { X509Certificate } from 'node:crypto';
import { readFile, stat, writeFile } from 'node:fs/promises';
import { once } from 'node:events';
import { connect, createServer, type AddressInfo } from 'node:net';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { startAgentServer } from '../../doubles/agent-server/start-agent-server.ts';
import { buildGateway, type BuiltGateway, type GatewayProcess } from '../../doubles/gateway-process.ts';
import { startGeminiModel } from '../../doubles/gemini-model/start-gemini-model.ts';
import { ask, hiddenForms, messagesOf, outputsFor } from './ask-agent.ts';
import { functionTool } from './scenario.ts';

const run = promisify(execFile);
const tools = [functionTool('get_weather')];

let built: BuiltGateway;
beforeAll(async () => {
  built = await buildGateway();
}, 60_000);
afterAll(() => built.remove());

test('antiphon tap ca prints where the authority is; its key is for the owner only, and it is bound to the hosts', async () => {
  const config = join(built.folder, 'ca.yaml');
  const data = join(built.folder, 'ca-data');
  await writeFile(config, 'taps: { proxy: { mode: forward, listen: "127.0.0.1:0", hosts: [model.example, 127.0.0.1] } }\n');
  const argv = [join(built.folder, 'dist/main.js'), 'tap', 'ca', '--config', config, '--data', data];
  const { stdout } = await run(process.execPath, argv, { env: { PATH: process.env['PATH'], HOME: built.folder } });
  const path = join(data, 'tap', 'ca.pem');
  expect(stdout).toBe(`${path}\n`);
  expect((await run(process.execPath, argv)).stdout).toBe(stdout);
  const certificate = new X509Certificate(await readFile(path));
  expect(certificate.ca).toBe(true);
  expect(certificate.publicKey.asymmetricKeyDetails?.namedCurve).toBe('prime256v1');
  expect(Date.parse(certificate.validTo) - Date.now()).toBeLessThanOrEqual(366 * 86_400_000);
  const { stdout: told } = await run('openssl', ['x509', '-in', path, '-noout', '-text']);
  expect(told).toMatch(/Name Constraints: critical\s+Permitted:/);
  expect(told).toContain('DNS:model.example');
  expect(told).toContain('IP:127.0.0.1/255.255.255.255');
  expect((await stat(dirname(path))).mode & 0o777).toBe(0o700);
  const { stdout: keys } = await run('sh', ['-c', `stat -c '%a' ${dirname(path)}/*key*`]);
  expect(keys).toBe('600\n');
});

/** A port that was free a moment ago; the next one when somebody took it since. */
async function startOnFreePort(toYaml: (port: number) => string): Promise<{ gateway: GatewayProcess; port: number }> {
  for (;;) {
    const server = createServer().listen(0, '127.0.0.1');
    await once(server, 'listening');
    const { port } = server.address() as AddressInfo;
    server.close();
    await once(server, 'close');
    try {
      return { gateway: await built.start(toYaml(port)), port };
    } catch (error) {
      if (!String(error).includes('in use')) throw error;
    }
  }
}

test('a tap listens before the gateway says so, and prints the password it has made, which its log never quotes', async () => {
  const { gateway, port } = await startOnFreePort(
    (port) =>
      `taps: { proxy: { mode: forward, listen: "127.0.0.1:${String(port)}", hosts: [model.example] } }\nstore: { url: "memory:" }\nlog: { content: true }`,
  );
  await new Promise<void>((resolve, reject) => {
    const socket = connect(port, '127.0.0.1', () => {
      socket.destroy();
      resolve();
    }).once('error', reject);
  });
  const printed = /http:\/\/[^\s:@]+:([^\s:@]{16,})@127\.0\.0\.1:\d+[^]*antiphon listening on/;
  expect(gateway.output()).toMatch(printed);
  const [, password = ''] = printed.exec(gateway.output()) ?? [];
  const stranger = connect(port, '127.0.0.1').end('CONNECT model.example:443 HTTP/1.1\r\nHost: model.example:443\r\n\r\n');
  await once(stranger.resume(), 'close');
  expect((await ask(gateway, { model: password, input: 'Hi' })).status).toBe(400);
  gateway.kill('SIGTERM');
  expect(await gateway.exit).toBe(0);
  expect(gateway.output()).toContain('a tap met trouble: a program came without its credential');
  expect(gateway.output()).toContain('[secret]');
  expect(gateway.output().split(password)).toHaveLength(2);
});

test('no credential stands in any answer or line of output, and a new process goes on with what an old one has begun', async () => {
  const secrets = {
    client: 'canary-client-0123456789',
    admin: 'canary-admin-0123456789',
    csrf: 'canary-csrf-0123456789',
    first: 'canary-first-0123456789',
    posted: 'canary-posted-0123456789',
    command: 'canary-command-0123456789',
    proxy: 'canary-proxy-0123456789',
    model: 'canary-model-0123456789',
  };
  const model = await startGeminiModel({ tls: 'self-signed', forbidden: hiddenForms, apiKeys: [secrets.model] });
  const agent = await startAgentServer({
    ...{ csrf: secrets.csrf, tokens: [secrets.first], modelUrl: model.url },
    modelHeaders: { 'x-goog-api-key': secrets.model },
    onRpc: ({ method }) =>
      method === 'SendUserCascadeMessage' && isBroken
        ? { code: 'unknown', message: `refused ${secrets.csrf} ${secrets.posted} ${secrets.first}` }
        : undefined,
  });
  const yaml = [
    `server: { keys: ["${secrets.client}"], admin_key: "${secrets.admin}" }`,
    'log: { level: trace, content: true }',
    'store: { url: "sqlite:./agent.db" }',
    'backends:',
    `  agent: { type: cascade, base_url: "${agent.url}", tap: proxy, csrf_token: "${secrets.csrf}", token: "${secrets.first}", token_command: ["/bin/echo", "${secrets.command}"] }`,
    'taps:',
    `  proxy: { mode: forward, listen: "127.0.0.1:0", hosts: ["127.0.0.1"], credential: "agent:${secrets.proxy}", upstream_ca_file: "${model.caFile ?? ''}" }`,
  ].join('\n');
  const caFile = join(built.folder, 'data', 'tap', 'ca.pem');
  const start = async (): Promise<GatewayProcess> => {
    const process = await built.start(yaml);
    const proxy = { url: await process.tapUrl(), credential: `agent:${secrets.proxy}`, caFile };
    agent.setModelWay({ modelUrl: model.url, proxy });
    return process;
  };
  let gateway = await start();
  let isBroken = false;
  const shown: string[] = [];
  const headers = { authorization: `Bearer ${secrets.client}` };
  const tell = async (request: object): Promise<Awaited<ReturnType<typeof ask>>> => {
    const answer = await ask(gateway, request, headers);
    shown.push(JSON.stringify([answer.events, answer.body, [...answer.headers]]));
    return answer;
  };

  const first = await tell({ input: '[[call get_weather {"city":"Oslo"}]]', tools, stream: true });
  expect(first.body.status).toBe('completed');
  agent.setTokens([secrets.posted]);
  expect((await tell({ input: '[[say Never]]' })).status).toBe(502);
  const posted = await fetch(`${gateway.url}/v1/token`, {
    method: 'POST',
    headers: { authorization: `Bearer ${secrets.admin}`, 'content-type': 'application/json' },
    body: JSON.stringify({ backend: 'agent', token: secrets.posted }),
  });
  shown.push(await posted.text());
  isBroken = true;
  expect((await tell({ input: '[[say Never]]', stream: true })).status).toBeGreaterThanOrEqual(500);
  isBroken = false;
  gateway.kill('SIGTERM');
  expect(await gateway.exit).toBe(0);
  shown.push(gateway.output());

  gateway = await start();
  const started = agent.bodiesOf('StartCascade').length;
  agent.setTokens([secrets.command]);
  const request = { input: outputsFor(first.body, 'snow'), tools, previous_response_id: first.body.id };
  const second = await tell(request);
  expect(messagesOf(second.body)).toEqual(['get_weather returned {"result":"snow"}.']);
  expect(messagesOf((await tell({ input: '[[say Again]]', previous_response_id: second.body.id })).body)).toEqual(['Again']);
  expect(agent.bodiesOf('StartCascade')).toHaveLength(started);
  expect(model.violations).toEqual([]);
  gateway.kill('SIGTERM');
  expect(await gateway.exit).toBe(0);
  shown.push(gateway.output());

  expect(Object.values(secrets).filter((secret) => shown.join('\n').includes(secret))).toEqual([]);
  expect(shown.join('\n')).toContain('refused');
  for (const { headers: sent } of model.calls) expect(sent['proxy-authorization']).toBeUndefined();
  await agent.close();
  await model.close();
}, 60_000);
