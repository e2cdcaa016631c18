import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { text as textOf } from 'node:stream/consumers';
import { expect, test } from 'vitest';
import { ScriptedBackend } from '../../test/doubles/scripted-backend.ts';
import { splitAnswers } from '../../test/doubles/send-http.ts';
import { startGateway } from '../../test/doubles/start-gateway.ts';

const question = JSON.stringify({ model: 'scripted/one', input: 'Hello' });
const head = (more: string): string =>
  `POST /v1/responses HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: ${question.length}\r\n${more}\r\n`;

function open(url: string): Socket {
  return connect(Number(new URL(url).port), '127.0.0.1').on('error', () => undefined);
}

test('an answer that is on its way when the gateway is closed arrives whole', async () => {
  const delta = 'x'.repeat(12 * 1024 * 1024);
  const batches = [
    [
      { type: 'text-delta' as const, delta },
      { type: 'finish' as const, reason: 'length' as const },
    ],
  ];
  const gateway = await startGateway(undefined, { backends: [new ScriptedBackend({ batches })] });
  const client = open(gateway.url);
  client.write(head('') + question);
  // Its beginning is here, and nobody reads on.
  await once(client, 'readable');
  const closing = gateway.close();
  const [answer] = splitAnswers(await textOf(client));
  await closing;
  expect(answer?.status).toBe(200);
  expect(JSON.parse(answer?.body ?? '')).toMatchObject({ output: [{ content: [{ text: delta }] }] });
});

test('a request whose body comes when the time to end is over is still answered', async () => {
  const gateway = await startGateway('server: { shutdown: 1ms }\nstore: { url: "memory:" }', {
    backends: [new ScriptedBackend({ stalls: true })],
  });
  const slow = open(gateway.url);
  slow.write(head('Expect: 100-continue\r\n'));
  // Its headers have arrived.
  await once(slow, 'data');
  const stream = await fetch(`${gateway.url}/v1/responses`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ model: 'scripted/one', input: 'Hello', stream: true }),
  });
  const closing = gateway.close();
  // It ends when the time is over.
  expect(await stream.text()).toContain('upstream_timeout');
  const answer = textOf(slow);
  slow.write(question);
  await closing;
  expect(await answer).toContain('upstream_timeout');
});
