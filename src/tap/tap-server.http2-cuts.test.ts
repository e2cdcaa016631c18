import type { ClientHttp2Session } from 'node:http2';
import { expect, test } from 'vitest';
import { closedAfterEach } from '../../test/closed-after-each.ts';
import { createSeededRandom } from '../../test/isolation/seeded-random.ts';
import {
  eventStreamHead,
  httpChunk,
  openRawUpstream,
  type RawRequest,
  type RawUpstream,
} from '../../test/doubles/raw-upstream.ts';
import { createRecordingStage } from '../../test/doubles/recording-stage.ts';
import { openTestAuthority } from '../../test/doubles/open-test-authority.ts';
import { startTestTap, type TestTap } from '../../test/doubles/start-test-tap.ts';
import { openTunnelSession, sendHttp2 } from '../../test/doubles/tap-tunnel.ts';

const authority = await openTestAuthority();
const open = closedAfterEach();

async function serve(answer: (request: RawRequest) => void): Promise<{ upstream: RawUpstream; tap: TestTap }> {
  const upstream = await openRawUpstream(answer);
  const intercept = () => ({ type: 'forward', body: null, answer: createRecordingStage(), signal: null }) as const;
  const tap = await startTestTap({ upstream: upstream.url, authority, hosts: ['api.test'], intercept });
  open.push(tap, upstream);
  return { upstream, tap };
}

const path = '/v1/models/m:streamGenerateContent?alt=sse';
/** Longer than the window of a stream, so that some cuts come while the caller still reads. */
const event = `data: {"text":"${'x'.repeat(2_000)}"}\r\n\r\n`;
const headers = { ':path': path, ':method': 'POST' };

/** Sends as many events as the path says, and breaks off. */
function cut({ socket, head }: RawRequest): void {
  const [, events = '0', end = ''] = /x-cut: (\d+)(\w+)/.exec(head) ?? [];
  socket.write(eventStreamHead);
  for (let sent = 0; sent < Number(events); sent++) socket.write(httpChunk(event));
  if (end === 'fin') socket.end();
  else setImmediate(() => socket.destroy());
}

test('a hundred answers in one HTTP/2 connection, cut at any place, are all reset and none looks whole', async () => {
  const { tap } = await serve(cut);
  const session = await openTunnelSession({ tap, target: 'api.test:443', ca: authority.certificate });
  const random = createSeededRandom(1);
  const asked = Array.from({ length: 100 }, async () => {
    const events = random.percent(20) ? 0 : random.below(60);
    const answer = await sendHttp2(session, { ...headers, 'x-cut': `${String(events)}fin` }, '{}');
    return [answer.status, answer.body.toString() === event.repeat(events), answer.resetCode];
  });
  for (const answer of await Promise.all(asked)) expect(answer).toEqual([200, true, 2]);
  session.destroy();
});

test('callers that leave while their answer is cut cost nobody else anything', async () => {
  const { tap } = await serve(cut);
  const session = await openTunnelSession({ tap, target: 'api.test:443', ca: authority.certificate });
  const random = createSeededRandom(2);
  for (let round = 0; round < 12; round++) {
    const leaving = Array.from({ length: 8 }, () => leaveEarly(session, `${String(1 + random.below(3))}rst`, random.below(3)));
    const staying = sendHttp2(session, { ...headers, 'x-cut': '2fin' }, '{}');
    await Promise.all(leaving);
    expect((await staying).resetCode).toBe(2);
  }
  session.destroy();
});

/** Reads so many pieces and then resets its stream. */
async function leaveEarly(session: ClientHttp2Session, how: string, pieces: number): Promise<void> {
  const cancel = 8;
  const stream = session.request({ ...headers, 'x-cut': how });
  let left = pieces;
  stream.on('data', () => {
    if (left-- === 0) stream.close(cancel);
  });
  stream.on('error', () => undefined);
  stream.end('{}');
  await new Promise((resolve) => stream.once('close', resolve));
}
