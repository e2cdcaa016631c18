import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { request, type IncomingMessage } from 'node:http';
import type { Socket } from 'node:net';
import { join } from 'node:path';
import { buffer } from 'node:stream/consumers';
import { connect as connectTls } from 'node:tls';
import { brotliCompressSync, gzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { openTunnel } from '../../doubles/agent-server/open-tunnel.ts';
import { startAgentServer } from '../../doubles/agent-server/start-agent-server.ts';
import { startGeminiModel } from '../../doubles/gemini-model/start-gemini-model.ts';
import { startAgentGateway, type AgentGateway, type AgentGatewayOptions } from '../../doubles/start-agent-gateway.ts';
import { startGateway } from '../../doubles/start-gateway.ts';
import { ask, callsOf, hiddenForms, mainCallsOf, messagesOf, outputsFor } from './ask-agent.ts';
import { functionTool } from './scenario.ts';

const credential = 'agent:tap-password-0123456789';
const tools = [functionTool('get_weather')];
const modes = ['reverse', 'forward'] as const;

describe.each(modes)('what is none of ours passes through a %s tap', (mode) => {
  const odd = ': comment\ndata: {"candidates" : [ ]}\n\n\ndata:{"x":"antiphon0123"}\r\n\r\n';
  let bench: AgentGateway;
  beforeAll(async () => {
    bench = await startAgentGateway({
      mode,
      model: {
        answer: ({ model }) =>
          model === 'odd'
            ? { status: 203, headers: { 'content-type': 'text/event-stream; odd', 'x-odd': 'yes' }, body: odd }
            : undefined,
      },
    });
  });
  afterAll(() => bench.close());

  async function dial(): Promise<Socket> {
    const socket = await openTunnel({ url: bench.tapUrl, credential }, `127.0.0.1:${String(bench.model.port)}`);
    const ca = await readFile(join(bench.gateway.dataDirectory, 'data/tap/ca.pem'));
    const secure = connectTls({ socket, host: '127.0.0.1', ca });
    await once(secure, 'secureConnect');
    return secure;
  }

  /** As any program would use the tap. */
  async function send(path: string, body?: string | Uint8Array, headers: Record<string, string> = {}): Promise<IncomingMessage> {
    const way =
      mode === 'reverse'
        ? { port: new URL(bench.tapUrl).port, agent: false }
        : { port: bench.model.port, createConnection: await dial().then((socket) => () => socket) };
    const length = body === undefined ? {} : { 'content-length': String(Buffer.byteLength(body)) };
    const method = body === undefined ? 'GET' : 'POST';
    const sent = request({ host: '127.0.0.1', path, method, headers: { ...headers, ...length }, ...way });
    sent.end(body);
    const [answer] = (await once(sent, 'response')) as [IncomingMessage];
    return answer;
  }

  test('path, query, body bytes, status, headers and the answer are the same', async () => {
    const source = '{ "contents" : [ {"role":"user","parts":[{"text":"antiphon antiphon0123456789 \\u0041 ä"}]} ],\n "x": 1.0 }';
    for (const body of [source, gzipSync(source), brotliCompressSync(source)]) {
      const encoding = body === source ? {} : { 'content-encoding': body[0] === 0x1f ? 'gzip' : 'br' };
      const path = '/v1beta/models/odd:streamGenerateContent?alt=sse&x=%20y&&z';
      const answer = await send(path, body, { 'content-type': 'application/json', 'x-custom': 'Mine', ...encoding });
      expect([answer.statusCode, answer.headers['content-type'], answer.headers['x-odd']]).toEqual([
        203,
        'text/event-stream; odd',
        'yes',
      ]);
      expect((await buffer(answer)).toString()).toBe(odd);
      const call = bench.model.calls.at(-1);
      expect([call?.path, call?.headers['x-custom']]).toEqual([path, 'Mine']);
      expect(call?.raw).toEqual(Buffer.from(body));
      expect(call?.headers['proxy-authorization']).toBeUndefined();
    }
  });

  test('also what is no model call, and errors', async () => {
    const listed = await send('/v1beta/models?pageSize=3');
    expect([listed.statusCode, (await buffer(listed)).toString()]).toMatchObject([200, expect.stringContaining('gemini-3-pro')]);
    const refused = await send('/v1beta/models/gemini-3-pro:generateContent', '{"contents":[]}');
    expect([refused.statusCode, (await buffer(refused)).toString()]).toMatchObject([
      400,
      expect.stringContaining('contents is not specified'),
    ]);
    expect((await send('/v1beta/models/none')).statusCode).toBe(404);
  });
});

describe('the wire between agent server, tap and model', () => {
  const wires: readonly AgentGatewayOptions[] = modes.flatMap((mode) => [
    { mode, agent: { framing: 'array' } },
    { mode, agent: { gzipRequests: true }, model: { compresses: true } },
    { mode, agent: { framing: 'array', gzipRequests: true, acceptEncoding: 'gzip' }, model: { compresses: true } },
    { mode, agent: { modelH2: false }, model: { h2: false } },
    { mode, agent: { modelH2: false }, model: { pauseMs: 5 } },
  ]);

  test.each(wires)('is nothing that a client can see: %j', async (options) => {
    const bench = await startAgentGateway({ ...options, model: { ...options.model, forbidden: hiddenForms } });
    const input = '[[say Words before a call.]] [[call get_weather {"city":"Oslo"}]] [[call read_note {"name":"a"}]]';
    const first = await ask(bench, { input, tools, stream: true });
    expect([messagesOf(first.body), callsOf(first.body)]).toEqual([['Words before a call.'], ['get_weather {"city":"Oslo"}']]);
    const request = { input: outputsFor(first.body, 'ä 😀'), tools, previous_response_id: first.body.id };
    expect(messagesOf((await ask(bench, request)).body).join()).toContain('get_weather returned {"result":"ä 😀"}');
    expect(bench.model.violations).toEqual([]);
    await bench.close();
  });

  test.each(modes)('through a %s tap the first words come while the rest is still to come', async (mode) => {
    const bench = await startAgentGateway({ mode });
    const answer = await fetch(`${bench.url}/v1/responses`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ model: 'agent/gemini-3-pro', input: '[[say First.]] [[hold]] [[say Last.]]', stream: true }),
    });
    let text = '';
    for await (const piece of answer.body?.pipeThrough(new TextDecoderStream()) ?? []) {
      text += piece;
      if (text.includes('"First."')) bench.model.release();
    }
    expect(text).toContain('First.Last.');
    await bench.close();
  });
});

describe('a forward tap', () => {
  let bench: AgentGateway;
  beforeAll(async () => {
    bench = await startAgentGateway({ mode: 'forward' });
  });
  afterAll(() => bench.close());

  test.each([
    ['a host outside the list', credential, 'example.com:443', 403],
    ['no credential', '', '127.0.0.1:443', 407],
    ['a wrong credential', 'agent:wrong', '127.0.0.1:443', 407],
    ['a wrong credential for a host outside the list', 'agent:wrong', 'example.com:443', 407],
  ])('refuses %s', async (_, given, target, status) => {
    const proxy = { url: bench.tapUrl, ...(given !== '' && { credential: given }) };
    await expect(openTunnel(proxy, target)).rejects.toMatchObject({ status });
  });
});

describe.each(modes)('a model API whose certificate cannot be verified, behind a %s tap', (mode) => {
  test.each([true, false])('gets no byte, and the turn fails (stream %s)', async (stream) => {
    const model = await startGeminiModel({ tls: 'self-signed' });
    const agent = await startAgentServer({ modelUrl: model.url });
    const way = mode === 'reverse' ? `upstream: "${model.url}"` : `hosts: ["127.0.0.1"], credential: "${credential}"`;
    const gateway = await startGateway(
      [
        `backends: { agent: { type: cascade, base_url: "${agent.url}", tap: wire } }`,
        `taps: { wire: { mode: ${mode}, listen: "127.0.0.1:0", ${way} } }`,
        'store: { url: "memory:" }',
      ].join('\n'),
    );
    const { tapUrl, dataDirectory } = gateway;
    const caFile = join(dataDirectory, 'data/tap/ca.pem');
    agent.setModelWay(
      mode === 'reverse' ? { modelUrl: tapUrl } : { modelUrl: model.url, proxy: { url: tapUrl, credential, caFile } },
    );
    const answer = await ask(gateway, { input: '[[say Hello]]', tools, stream });
    expect(answer.status >= 500 || answer.body.status === 'failed').toBe(true);
    expect(mainCallsOf({ model })).toEqual([]);
    expect(model.calls).toEqual([]);
    await gateway.close();
    await agent.close();
    await model.close();
  });
});
