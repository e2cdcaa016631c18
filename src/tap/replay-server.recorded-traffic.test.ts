import { once } from 'node:events';
import { existsSync } from 'node:fs';
import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createRecordingBench } from '../../test/doubles/recording-proxy.ts';
import { sendHttp, type HttpAnswer } from '../../test/doubles/send-http.ts';
import { startReplayServer, type ReplayServer } from './replay-server.ts';

/** What we use of the recordings and of `replay.mjs`, the reference. */
interface SharedRecording {
  readonly id: string;
  readonly provider: string;
  readonly request: { readonly method: string; readonly path: string; readonly body: unknown };
  readonly response: { readonly status: number; readonly chunks?: readonly string[]; readonly body?: unknown };
}

interface Reference {
  readonly loadRecordings: (directory: string, sets: string[]) => SharedRecording[];
  createReplayServer(recordings: SharedRecording[], options?: object): Server;
}

const shared = new URL('../../../shared/recordings/', import.meta.url);
const isThere = existsSync(new URL('replay.mjs', shared));
if (!isThere) console.log(`skipped: there are no recordings at ${shared.pathname}`);
const { openRun, startProxy } = createRecordingBench();

function send(url: string, { request }: SharedRecording, headers: Record<string, string> = {}): Promise<HttpAnswer> {
  return sendHttp(url, {
    method: request.method,
    path: encodeURI(request.path),
    headers,
    ...(request.body !== null && { body: JSON.stringify(request.body) }),
  });
}

/** What a recorded answer says, read from its bytes without our own reader. */
function isSaid({ text }: HttpAnswer, { response: { chunks, body } }: SharedRecording): boolean {
  if (chunks === undefined) return body === undefined || JSON.stringify(JSON.parse(text)) === JSON.stringify(body);
  const said = text.startsWith('[')
    ? (JSON.parse(text) as unknown[]).map((element) => JSON.stringify(element))
    : [...text.matchAll(/^data: (.*)\r?$/gm)].map(([, data = '']) => data.replace(/\r$/, ''));
  return (
    JSON.stringify(said) ===
    JSON.stringify(text.startsWith('[') ? chunks.map((chunk) => JSON.stringify(JSON.parse(chunk))) : chunks)
  );
}

describe.skipIf(!isThere)('recorded traffic of real servers', () => {
  let reference: Server;
  let referenceUrl: string;
  let replay: ReplayServer;
  let recordings: readonly SharedRecording[];
  let loadRecordings: Reference['loadRecordings'];

  beforeAll(async () => {
    const module = (await import(new URL('replay.mjs', shared).href)) as Reference;
    loadRecordings = module.loadRecordings;
    recordings = loadRecordings(shared.pathname, ['dev']);
    reference = module.createReplayServer([...recordings]).listen(0, '127.0.0.1');
    await once(reference, 'listening');
    referenceUrl = `http://127.0.0.1:${String((reference.address() as AddressInfo).port)}`;
    replay = await startReplayServer({ directory: shared.pathname, port: 0, timing: 'none' });
  });

  afterAll(async () => {
    reference.closeAllConnections();
    reference.close();
    await replay.close();
  });

  test('every exchange is served, with the bytes of the reference', { timeout: 120_000 }, async () => {
    expect([replay.exchanges, replay.warnings]).toEqual([recordings.length, []]);
    const faults: string[] = [];
    const served: Record<string, number> = {};
    for (const recording of recordings) {
      const mine = await send(replay.url, recording);
      const theirs = await send(referenceUrl, recording, { 'x-recording-id': recording.id });
      const isMine = mine.headers['x-recording-id'] === encodeURIComponent(recording.id);
      const isEqual = mine.status === theirs.status && mine.text === theirs.text;
      const isRight = isMine && isEqual && mine.headers['content-type'] === theirs.headers['content-type'];
      if (isRight && (!recording.provider.startsWith('gemini') || isSaid(mine, recording)))
        served[recording.provider] = (served[recording.provider] ?? 0) + 1;
      else faults.push(`${recording.id}: ${String(mine.status)} ${String(mine.headers['x-recording-id'])}`);
    }
    const counts = Object.entries(served).map(([provider, count]) => `${provider} ${String(count)}`);
    console.log(`replayed: ${String(recordings.length - faults.length)} of ${String(recordings.length)} (${counts.join(', ')})`);
    expect(faults).toEqual([]);
  });

  test(
    'recorded through a proxy and replayed again, Gemini’s answers are the same bytes; the reference reads the folder, too',
    { timeout: 120_000 },
    async () => {
      const gemini = recordings.filter(({ provider }) => provider.startsWith('gemini'));
      const run = await openRun();
      const proxy = await startProxy(replay.url, run.recorder);
      const first: string[] = [];
      for (const recording of gemini) first.push((await send(proxy, recording)).text);
      await run.recorder.close();
      expect(run.troubles).toEqual([]);
      const second = await startReplayServer({ directory: run.directory, port: 0, timing: 'none' });
      const different: string[] = [];
      for (const [at, recording] of gemini.entries()) {
        if ((await send(second.url, recording)).text !== first[at]) different.push(recording.id);
      }
      await second.close();
      console.log(`recorded and replayed: ${String(gemini.length - different.length)} of ${String(gemini.length)}`);
      expect(different).toEqual([]);
      const reread = loadRecordings(run.directory, ['.']);
      const contentOf = (list: readonly SharedRecording[]): string[] =>
        list.map(({ response: { status, chunks, body } }) => JSON.stringify([status, chunks, body])).sort();
      expect(contentOf(reread)).toEqual(contentOf(gemini));
    },
  );
});
