import { expect, test } from 'vitest';
import { closedAfterEach } from '../../../test/closed-after-each.ts';
import { httpAnswer, httpHead, openRawUpstream, type RawRequest } from '../../../test/doubles/raw-upstream.ts';
import { GatewayError } from '../../model/errors.ts';
import { sendForJson } from './read-json.ts';
import { createUpstreamClient } from './upstream-client.ts';

const open = closedAfterEach();

async function ask(answer: (request: RawRequest) => void, signal = new AbortController().signal): Promise<unknown> {
  const upstream = await openRawUpstream(answer);
  const client = createUpstreamClient({ timeouts: { connectMs: 5000, firstByteMs: 5000, idleMs: 30 } });
  open.push(client, upstream);
  const mapError = ({
    status,
    headers,
    body,
  }: {
    status: number;
    headers: Readonly<Record<string, string>>;
    body: string;
  }): GatewayError => new GatewayError('upstream_error', `${String(status)} ${headers['x-a'] ?? ''} ${body}`);
  return sendForJson(client, { method: 'GET', url: upstream.url, headers: {} }, { mapError, signal });
}

test('a 2xx body is returned as its JSON value', async () => {
  expect(await ask(({ socket }) => socket.write(httpAnswer('{"data":[1]}', {}, '201 Created')))).toEqual({ data: [1] });
  expect(await ask(({ socket }) => socket.write(httpAnswer('null')))).toBeNull();
});

test('another status is what mapError makes of it', async () => {
  await expect(ask(({ socket }) => socket.write(httpAnswer('sad', { 'x-a': 'b' }, '404 Not Found')))).rejects.toMatchObject({
    message: '404 b sad',
  });
  await expect(ask(({ socket }) => socket.write(httpAnswer('', { location: '/' }, '302 Found')))).rejects.toMatchObject({
    message: '302  ',
  });
});

test.each([
  ['HTML', '<html></html>'],
  ['nothing', ''],
  ['cut JSON', '{"data":'],
])('%s: upstream_invalid_response', async (_name, body) => {
  await expect(ask(({ socket }) => socket.write(httpAnswer(body)))).rejects.toMatchObject({ code: 'upstream_invalid_response' });
});

test('a body that stalls: upstream_timeout; a caller who leaves: the reason', async () => {
  const half = `${httpHead({ 'content-length': '10' })}{`;
  await expect(ask(({ socket }) => socket.write(half))).rejects.toMatchObject({ code: 'upstream_timeout' });
  const gone = new AbortController();
  const asked = ask(({ socket }) => socket.write(half, () => gone.abort('gone')), gone.signal);
  await expect(asked).rejects.toBe('gone');
});
