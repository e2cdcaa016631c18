import { once } from 'node:events';
import { request, type IncomingMessage, type RequestListener } from 'node:http';
import { gzipSync } from 'node:zlib';
import { expect, test, vi } from 'vitest';
import { createRecordingBench, readFolder, type RecordingRun } from '../../test/doubles/recording-proxy.ts';
import { sendHttp } from '../../test/doubles/send-http.ts';
import { startReplayServer } from './replay-server.ts';
import { startTapServer, type TapServer } from './tap-server.ts';

const { openRun, listen } = createRecordingBench();
const stream = '/v1beta/models/gemini-3-pro:streamGenerateContent?alt=sse';
const body = JSON.stringify({ contents: [{ role: 'user', parts: [{ text: 'Hi' }] }] });
const headers = { 'content-type': 'application/json' };

/** The tap as `antiphon tap --record` runs it: nothing is intercepted. */
async function startRecordingTap(serve: RequestListener): Promise<{ run: RecordingRun; tap: TapServer }> {
  const run = await openRun();
  const tap = await startTapServer({
    settings: {
      name: 'record',
      mode: 'reverse',
      host: '127.0.0.1',
      port: 0,
      upstream: await listen(serve),
      upstreamCaFile: null,
      hosts: [],
      credential: null,
    },
    intercept: () => ({ type: 'pass' }),
    authority: null,
    recorder: run.recorder,
    onTrouble: (thrown) => {
      throw thrown;
    },
  });
  return { run, tap };
}

test('what went through the tap is replayed with the same bytes, and nothing but model calls is written down', async () => {
  const sse = 'data: {"text":"é"}\r\n\r\ndata: {"n":2}\r\n\r\n';
  const { run, tap } = await startRecordingTap((asked, response) => {
    const isStream = asked.url?.includes('alt=sse') === true;
    response.writeHead(200, { 'content-type': isStream ? 'text/event-stream' : 'application/json', 'content-encoding': 'gzip' });
    response.end(gzipSync(isStream ? sse : '{\n  "a": 1\n}'));
  });
  const sync = stream.replace('streamGenerateContent?alt=sse', 'generateContent?key=a-key-of-mine-1');
  for (const path of [stream, sync, '/v1beta/models']) await sendHttp(tap.url, { path, headers, body });
  await tap.close();
  await run.recorder.close();
  const replay = await startReplayServer({ directory: run.directory, port: 0, timing: 'none' });
  expect([replay.exchanges, replay.warnings, run.troubles]).toEqual([2, [], []]);
  expect((await sendHttp(replay.url, { path: stream, headers, body })).text).toBe(sse);
  expect((await sendHttp(replay.url, { path: sync, headers, body })).text).toBe('{\n  "a": 1\n}');
  await replay.close();
  expect(await readFolder(run.directory)).not.toContain('a-key-of-mine-1');
});

test('a program that leaves in the middle: the record is cut where it left', async () => {
  const { run, tap } = await startRecordingTap((_asked, response) => {
    response.writeHead(200, { 'content-type': 'text/event-stream' }).write('data: {"n":1}\n\n');
  });
  const asked = request(`${tap.url}${stream}`, { method: 'POST', headers, agent: false });
  asked.on('error', () => undefined).end(body);
  const [answer] = (await once(asked, 'response')) as [IncomingMessage];
  await once(answer, 'data');
  answer.on('error', () => undefined);
  asked.destroy();
  await vi.waitFor(async () => {
    expect(await readFolder(run.directory)).toContain('\n');
  });
  await tap.close();
  const [recording] = await run.readAll();
  expect(recording).toMatchObject({ features: ['cut'], response: { status: 200, cut: true, chunks: ['{"n":1}'] } });
});
