import { connect, createServer, type AddressInfo, type Socket } from 'node:net';
import { afterEach, describe, expect, test } from 'vitest';
import { textOf } from '../gemini-model/gemini-words.ts';
import { startGeminiModel } from '../gemini-model/start-gemini-model.ts';
import { createAgentBench, type OpenAgent } from './agent-bench.ts';
import type { AgentServerOptions } from './agent-server-options.ts';
import { at, createAgentClient } from './ask-agent.ts';
import { startAgentServer } from './start-agent-server.ts';

const bench = createAgentBench();
const closing: (() => Promise<void>)[] = [];
afterEach(async () => {
  await bench.close();
  for (const close of closing.splice(0).reverse()) await close();
});

const bare = { titleCall: false, checkpoint: false };

/** The planner texts of one turn. */
async function textsOf({ client, turn }: Pick<OpenAgent, 'client' | 'turn'>, text: string): Promise<string[]> {
  const cascadeId = await client.start();
  await turn(cascadeId, text);
  return (await client.steps(cascadeId)).flatMap((step) =>
    step['plannerResponse'] === undefined ? [] : [textOf(at(step, 'plannerResponse.response'))],
  );
}

describe('over the wire', () => {
  const ways: [name: string, server: Partial<AgentServerOptions>][] = [
    ['event stream', {}],
    ['JSON array', { framing: 'array' }],
    ['compressed both ways', { gzipRequests: true }],
  ];
  test.each(ways)('%s', async (_, server) => {
    const open = await bench.open({ ...server, quirks: bare }, { compresses: true });
    expect(await textsOf(open, '[[say He said "}{" – and [went].]]')).toEqual(['He said "}{" – and [went].']);
    expect(open.model.violations).toEqual([]);
  });

  /** A proxy that only passes bytes through. */
  async function openProxy(credential: string): Promise<{ url: string; tunnels: string[] }> {
    const tunnels: string[] = [];
    const sockets = new Set<Socket>();
    const server = createServer((socket) => {
      sockets.add(socket);
      socket.on('error', () => undefined);
      socket.once('data', (bytes: Buffer) => {
        const head = bytes.toString();
        const [, host = '', port = ''] = /^CONNECT ([^:]+):(\d+) /.exec(head) ?? [];
        tunnels.push(`${host}:${port}`);
        if (!head.includes(`Basic ${Buffer.from(credential).toString('base64')}`)) {
          socket.end('HTTP/1.1 407 Proxy Authentication Required\r\n\r\n');
          return;
        }
        const other = connect(Number(port), host, () => {
          socket.write('HTTP/1.1 200 Connection established\r\n\r\n');
          socket.pipe(other).pipe(socket);
        });
        sockets.add(other);
        other.on('error', () => socket.destroy());
      });
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    closing.push(
      () =>
        new Promise((resolve) => {
          server.close(() => {
            resolve();
          });
          for (const socket of sockets) socket.destroy();
        }),
    );
    return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, tunnels };
  }

  test.each([
    ['h2', true, '2.0'],
    ['http/1.1', false, '1.1'],
  ] as const)('through a proxy: CONNECT, TLS, %s, on one kept connection', async (_, modelH2, version) => {
    const model = await startGeminiModel({ tls: 'self-signed' });
    closing.push(() => model.close());
    const { url, tunnels } = await openProxy('me:secret');
    const proxy = { url, credential: 'me:secret', caFile: model.caFile! };
    const open = await bench.open({ modelUrl: model.url, proxy, modelH2 });
    expect(await textsOf(open, '[[say Through.]]')).toEqual(['Through.']);
    expect(model.calls.map(({ httpVersion }) => httpVersion)).toEqual([version, version, version]);
    expect(tunnels).toEqual([`127.0.0.1:${model.port}`]);
  });

  test('a wrong proxy credential, or an unknown certificate: no byte arrives and the turn ends in an error step', async () => {
    const model = await startGeminiModel({ tls: 'self-signed' });
    closing.push(() => model.close());
    const { url } = await openProxy('me:secret');
    for (const proxy of [
      { url, credential: 'me:wrong', caFile: model.caFile! },
      { url, credential: 'me:secret' },
    ]) {
      const agent = await startAgentServer({ modelUrl: model.url, proxy, quirks: bare });
      closing.push(() => agent.close());
      const client = createAgentClient(agent.url);
      const cascadeId = await client.start();
      await client.send(cascadeId, 'Hi');
      await agent.until(() => agent.modelCalls[0]?.outcome === 'cut');
    }
    expect(model.calls).toEqual([]);
  });
});

describe('trouble', () => {
  test('a 429 is tried again, up to three times', async () => {
    const open = await bench.open({ quirks: { ...bare, retryDelayMs: 1 } });
    expect(await textsOf(open, '[[status 429 2]] [[say At last.]]')).toEqual(['At last.']);
    expect(open.agent.modelCalls.map(({ status }) => status)).toEqual([429, 429, 200]);
    expect(await textsOf(open, '[[status 503 9]]')).toEqual([]);
    expect(open.agent.modelCalls).toHaveLength(3 + 4);
    const cascadeId = open.agent.cascades().at(-1)!.cascadeId;
    expect((await open.client.steps(cascadeId)).at(-1)).toMatchObject({ errorMessage: { error: { errorCode: 503 } } });
  });

  test('a cut stream leaves its text with CLIENT_STREAM_ERROR, and may be tried again', async () => {
    const open = await bench.open({ quirks: bare });
    expect(await textsOf(open, '[[say Half.]] [[cut]]')).toEqual(['Half.']);
    const { cascadeId } = open.agent.cascades()[0]!;
    expect(at((await open.client.steps(cascadeId)).at(-1), 'plannerResponse.stopReason')).toBe('STOP_REASON_CLIENT_STREAM_ERROR');
    open.agent.setQuirks({ retriesCut: true, retryDelayMs: 1 });
    expect(await textsOf(open, '[[say Half.]] [[cut]]')).toEqual(['Half.', 'Half.', 'Half.', 'Half.']);
  });

  test('an error in the stream, a limit, a filter', async () => {
    const open = await bench.open({ quirks: bare });
    await textsOf(open, '[[say a]] [[error 500]]');
    await textsOf(open, '[[say a]] [[finish MAX_TOKENS]]');
    await textsOf(open, '[[say a]] [[finish SAFETY]]');
    const last = await Promise.all(
      open.agent.cascades().map(async ({ cascadeId }) => (await open.client.steps(cascadeId)).at(-1)),
    );
    expect(last[0]).toMatchObject({ errorMessage: { error: { errorCode: 500 } } });
    expect(at(last[1], 'plannerResponse.stopReason')).toBe('STOP_REASON_MAX_TOKENS');
    expect(at(last[2], 'errorMessage.error.shortError')).toContain('SAFETY');
  });

  test('a call of a tool that is not there is answered with an error, and the model goes on', async () => {
    const answer = (): { chunks: object[] } | undefined => {
      if (open.model.calls.length > 1) return undefined;
      const parts = [{ functionCall: { name: 'nope', args: {} }, thoughtSignature: 'x' }];
      return { chunks: [{ candidates: [{ content: { role: 'model', parts }, finishReason: 'STOP' }] }] };
    };
    const open: OpenAgent = await bench.open({ quirks: bare }, { answer: answer as () => undefined });
    const cascadeId = await open.client.start();
    await open.turn(cascadeId, 'Hello');
    expect(open.agent.modelCalls).toHaveLength(2);
    expect((await open.client.steps(cascadeId)).some((step) => step['errorMessage'] !== undefined)).toBe(true);
  });
});

describe('thinking', () => {
  test('is stripped from the steps although it was counted', async () => {
    const open = await bench.open({ quirks: { ...bare, hidesThinking: true } });
    const cascadeId = await open.client.start();
    await open.turn(cascadeId, '[[think Secret thoughts.]] [[say Hi.]]');
    const step = (await open.client.steps(cascadeId)).at(-1);
    expect(step?.['plannerResponse']).not.toHaveProperty('thinking');
    expect(Number(at(step, 'metadata.modelUsage.thinkingOutputTokens'))).toBeGreaterThan(0);
  });

  test('comes late: a second, unary call after IDLE tells it', async () => {
    const open = await bench.open({ quirks: { ...bare, lateThinking: true, thinkingDelayMs: 1 } });
    const cascadeId = await open.client.start();
    await open.turn(cascadeId, '[[think-late Slow thoughts.]] [[say Hi.]]');
    await open.agent.until(() => open.agent.modelCalls.at(-1)?.outcome === 'done' && open.agent.modelCalls.length === 2);
    expect(open.agent.modelCalls.map(({ purpose }) => purpose)).toEqual(['main', 'thinking']);
    expect(at((await open.client.steps(cascadeId)).at(-1), 'plannerResponse.thinking')).toBe('Slow thoughts.');
  });
});
