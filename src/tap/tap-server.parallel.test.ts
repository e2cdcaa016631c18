import { once } from 'node:events';
import { request as openRequest, type IncomingMessage } from 'node:http';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { closedAfterEach } from '../../test/closed-after-each.ts';
import { openHttpUpstream } from '../../test/doubles/http-upstream.ts';
import { createRecordingStage, type RecordingStage } from '../../test/doubles/recording-stage.ts';
import { sendHttp } from '../../test/doubles/send-http.ts';
import { openTestAuthority } from '../../test/doubles/open-test-authority.ts';
import { startTestTap } from '../../test/doubles/start-test-tap.ts';
import { openTunnelSession, sendHttp2 } from '../../test/doubles/tap-tunnel.ts';

const authority = await openTestAuthority();
const open = closedAfterEach();

const path = '/v1/models/m:streamGenerateContent?alt=sse';

/** Answers each call with ten events that carry what it was asked, a few at a time. */
async function openStreamer(): Promise<string> {
  const upstream = await openHttpUpstream((response, { body }) => {
    void (async () => {
      response.writeHead(200, { 'content-type': 'text/event-stream' });
      for (let at = 0; at < 10; at++) {
        response.write(`data: {"of":${body.toString()},"at":${String(at)}}\r\n\r\n`);
        if (at % 3 === 0) await nextTurn();
      }
      response.end();
    })();
  });
  open.push(upstream);
  return upstream.url;
}

function answerTo(index: number): string {
  return Array.from(
    { length: 10 },
    (_, at) => `data: {"of":${String(index)},"at":${String(at)},"by":${String(index)}}\r\n\r\n`,
  ).join('');
}

/** A stage for each call, which writes the call's own number into every frame. */
function signing(stages: RecordingStage[], body: Uint8Array): RecordingStage {
  const by = Number(Buffer.from(body).toString());
  const stage = createRecordingStage((value) => ({ ...(value as object), by }));
  stages.push(stage);
  return stage;
}

test('calls of many programs at once do not meet, in either mode', async () => {
  const upstream = await openStreamer();
  const stages: RecordingStage[] = [];
  const intercept = ({ body }: { body: Uint8Array }) =>
    ({ type: 'forward', body: null, answer: signing(stages, body), signal: null }) as const;
  const reverse = await startTestTap({ upstream, intercept });
  const forward = await startTestTap({ upstream, intercept, authority, hosts: ['api.test'] });
  open.push(reverse, forward);
  const sessions = await Promise.all(
    Array.from({ length: 4 }, () => openTunnelSession({ tap: forward, target: 'api.test:443', ca: authority.certificate })),
  );
  const answers = await Promise.all(
    Array.from({ length: 128 }, async (_, index) => {
      if (index % 2 === 0) return (await sendHttp(reverse.url, { path, body: String(index) })).text;
      return (await sendHttp2(sessions[index % 4]!, { ':path': path }, String(index))).body.toString();
    }),
  );
  expect(answers).toEqual(answers.map((_, index) => answerTo(index)));
  expect(stages).toHaveLength(128);
  for (const { log } of stages) {
    expect(log).toHaveLength(12);
    expect(new Set(log.slice(1, -1).map((line) => /"of":(\d+)/.exec(line)?.[1])).size).toBe(1);
  }
  for (const session of sessions) session.destroy();
});

test('a caller that takes its time holds the upstream back, and gets everything', async () => {
  const piece = Buffer.alloc(64 * 1024, 'x');
  const pieces = 1024;
  let written = 0;
  const upstream = await openHttpUpstream((response) => {
    void (async () => {
      for (; written < pieces; written++) if (!response.write(piece)) await once(response, 'drain');
      response.end();
    })();
  });
  const tap = await startTestTap({ upstream: upstream.url });
  open.push(tap, upstream);
  const sent = openRequest(`${tap.url}/large`);
  sent.end();
  const [answer] = (await once(sent, 'response')) as [IncomingMessage];
  // Until nothing moves any more: everything on the way is full.
  for (let seen = -1, still = 0; still < 200; still = seen === written ? still + 1 : 0, seen = written) await nextTurn();
  expect(written).toBeLessThan(pieces);
  let size = 0;
  for await (const bytes of answer as AsyncIterable<Buffer>) size += bytes.length;
  expect(size).toBe(piece.length * pieces);
});
