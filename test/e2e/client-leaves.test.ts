import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { createMemoryStore } from '../../src/store/memory/memory-store.ts';
import { dialects, openModelUpstream, upstreamYaml, type ModelCall } from '../doubles/model-upstream.ts';
import { referenceRequest, toEvents } from '../doubles/model-wire.ts';
import { eventStreamHead, httpChunk, type RawUpstream } from '../doubles/raw-upstream.ts';
import { startGateway, type StartedGateway } from '../doubles/start-gateway.ts';

/** Calls in the order they came, with what was written on them. */
const calls: ModelCall[] = [];
let upstream: RawUpstream;
let gateway: StartedGateway;
const saved: string[] = [];
const clients: Socket[] = [];

beforeAll(async () => {
  upstream = await openModelUpstream((call) => {
    calls.push(call);
    if (call.model === 'accept' || call.model === 'flood') call.socket.write(eventStreamHead);
    if (call.model === 'accept') call.socket.write(httpChunk(toEvents(call.dialect, [{ text: 'Hello ' }])[0] ?? ''));
  });
  const store = createMemoryStore();
  const watched = {
    ...store,
    saveResponse: (stored: Parameters<typeof store.saveResponse>[0]) => {
      saved.push(stored.id);
      return store.saveResponse(stored);
    },
  };
  gateway = await startGateway(upstreamYaml(upstream.url), { store: watched });
});

afterEach(() => {
  for (const client of clients.splice(0)) client.destroy();
});

afterAll(async () => {
  await gateway.close();
  await upstream.close();
});

/** A request on a socket of its own; it is only read where the test reads it. */
function send(model: string, stream: boolean, headers: readonly string[] = []): Socket {
  const { hostname, port } = new URL(gateway.url);
  const socket = connect(Number(port), hostname).on('error', () => undefined);
  clients.push(socket);
  socket.write(toBytes(model, stream, headers));
  return socket;
}

function toBytes(model: string, stream: boolean, headers: readonly string[] = []): string {
  const body = JSON.stringify(referenceRequest(model, stream));
  const lines = ['Host: localhost', 'Content-Type: application/json', `Content-Length: ${Buffer.byteLength(body)}`, ...headers];
  return `POST /v1/responses HTTP/1.1\r\n${lines.join('\r\n')}\r\n\r\n${body}`;
}

/** Resolves when the connection has brought that text. */
async function until(socket: Socket, text: string): Promise<void> {
  let seen = '';
  for await (const piece of socket.iterator({ destroyOnReturn: false })) {
    seen = seen.slice(-text.length) + String(piece);
    if (seen.includes(text)) return;
  }
  throw new Error(`closed without ${text}: ${seen.slice(-200)}`);
}

/** Resolves when call number `index` is there. */
async function arrived(index: number): Promise<ModelCall> {
  await upstream.arrived(index + 1);
  const call = calls[index];
  if (call === undefined) throw new Error('no such call');
  return call;
}

/** Milliseconds from now until the call's connection is closed. */
async function closes({ socket }: ModelCall): Promise<number> {
  const start = performance.now();
  // Not `once`: a reset is an error first, and wanted here.
  if (!socket.destroyed) await new Promise((resolve) => socket.once('close', resolve));
  return performance.now() - start;
}

describe('when the client leaves, the model server learns it at once', () => {
  const waits: number[] = [];
  const rounds = 25;

  test.each(dialects)('%s: before the headers, in the middle of a stream, while it waits for the whole', async (dialect) => {
    for (let round = 0; round < rounds; round++) {
      for (const [model, stream] of [
        ['silent', true],
        ['silent', false],
        ['accept', true],
        ['accept', false],
      ] as const) {
        const index = calls.length;
        const client = send(`${dialect}/${model}`, stream);
        const call = await arrived(index);
        if (model === 'accept' && stream) await until(client, 'Hello');
        if (round % 2 === 0) client.destroy();
        else client.resetAndDestroy();
        waits.push(await closes(call));
      }
    }
  });

  test('nothing of it was stored', async () => {
    waits.sort((a, b) => a - b);
    const p99 = waits[Math.floor(waits.length * 0.99)] ?? 0;
    console.log(
      `client gone → upstream closed: p50 ${(waits[waits.length >> 1] ?? 0).toFixed(1)} ms, p99 ${p99.toFixed(1)} ms of ${String(waits.length)}`,
    );
    expect(waits).toHaveLength(rounds * 8);
    expect(saved).toEqual([]);
    // And the gateway knows that nobody is left: only this request is being served.
    await expect
      .poll(async () => (await (await fetch(`${gateway.url}/metrics`)).text()).match(/in_flight (\d+)/)?.[1], { timeout: 10_000 })
      .toBe('1');
  });

  test('one that leaves while its second, pipelined request waits for its turn ends both', async () => {
    const index = calls.length;
    const client = send('chat/accept', true);
    client.write(toBytes('gemini/accept', true));
    const both = [await arrived(index), await arrived(index + 1)];
    await until(client, 'Hello');
    client.destroy();
    await Promise.all(both.map(closes));
    expect(saved).toEqual([]);
  });
});

describe('a client that does not read', () => {
  test.each(dialects)(
    '%s: the model server is held back, the gateway keeps little, and the end comes when it reads on',
    async (dialect) => {
      const index = calls.length;
      const client = send(`${dialect}/flood`, true);
      const call = await arrived(index);
      await once(client, 'readable');
      const before = process.memoryUsage();
      const text = 'x'.repeat(8000);
      const chunk = httpChunk((toEvents(dialect, [{ text }])[0] ?? '').repeat(8));
      // Writes as fast as it is taken, until nothing drains any more.
      let written = 0;
      let isHeldBack = false;
      while (written < 256 * 1024 * 1024 && !isHeldBack) {
        written += chunk.length;
        if (call.socket.write(chunk)) continue;
        isHeldBack = await Promise.race([
          once(call.socket, 'drain').then(() => false),
          new Promise<boolean>((resolve) => setTimeout(resolve, 1500, true)),
        ]);
      }
      expect(isHeldBack).toBe(true);
      const after = process.memoryUsage();
      const grown = after.external + after.arrayBuffers - before.external - before.arrayBuffers;
      console.log(
        `${dialect}: held back after ${(written / 1024 / 1024).toFixed(1)} MiB, external memory ${(grown / 1024 / 1024).toFixed(1)} MiB`,
      );
      const rest = toEvents(dialect, [{ finish: 'stop' }, { usage: [1, 1] }]).join('');
      call.socket.end(Buffer.concat([httpChunk(rest), Buffer.from('0\r\n\r\n')]));
      await until(client, 'data: [DONE]');
      saved.length = 0;
    },
  );

  test('one that never reads on is let go when it leaves, and the model server with it', async () => {
    const index = calls.length;
    const client = send('chat/flood', true);
    const call = await arrived(index);
    await once(client, 'readable');
    const chunk = httpChunk((toEvents('chat', [{ text: 'x'.repeat(8000) }])[0] ?? '').repeat(8));
    while (call.socket.writableLength < 4 * 1024 * 1024) {
      call.socket.write(chunk);
      await new Promise((resolve) => setImmediate(resolve));
    }
    client.destroy();
    await closes(call);
    expect(saved).toEqual([]);
  });
});
