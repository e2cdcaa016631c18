import { chmod, readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { openHttpUpstream, type HttpUpstream } from '../test/doubles/http-upstream.ts';
import { sendHttp, type HttpAnswer } from '../test/doubles/send-http.ts';
import { scratchFolder } from '../test/scratch-folder.ts';
import { describeStartError } from './config/describe-start-error.ts';
import type { TapSettings } from './config/settings.ts';
import { Secret } from './model/secret.ts';
import { openTapAuthority, startRecordingTaps, startReplay, startTaps, type RunningTaps, type TapsOptions } from './run-taps.ts';

const folder = scratchFolder();
const closables: { close(): Promise<void> }[] = [];
let upstream: HttpUpstream;
let count = 0;

beforeEach(async () => {
  upstream = await openHttpUpstream((response) => {
    response.writeHead(200, { 'content-type': 'application/json' });
    response.end('{"candidates":[{"content":{"role":"model","parts":[{"text":"Hello"}]},"finishReason":"STOP"}]}');
  });
});

afterEach(async () => {
  for (const closable of closables.splice(0)) await closable.close();
  await upstream.close();
});

function tap(changes: Partial<TapSettings> = {}): TapSettings {
  return {
    name: 'wire',
    mode: 'reverse',
    host: '127.0.0.1',
    port: 0,
    upstream: upstream.url,
    upstreamCaFile: null,
    hosts: [],
    credential: null,
    ...changes,
  };
}

const forward = { mode: 'forward', upstream: null, hosts: ['models.example'] } as const;

function options(changes: Partial<TapsOptions> = {}): TapsOptions {
  return {
    dataDirectory: join(folder, `data-${String(++count)}`),
    intercept: () => () => ({ type: 'pass' }),
    openRecorder: null,
    now: Date.now,
    onTrouble: (thrown) => {
      throw thrown;
    },
    ...changes,
  };
}

async function start(taps: readonly TapSettings[], changes: Partial<TapsOptions> = {}): Promise<RunningTaps> {
  const running = await startTaps(taps, options(changes));
  closables.push(running);
  return running;
}

const call = '/v1beta/models/gemini-3-flash:generateContent';

function ask(url: string): Promise<HttpAnswer> {
  const headers = { 'content-type': 'application/json', 'x-goog-api-key': 'AIza-secret-1' };
  return sendHttp(url, { path: call, headers, body: '{"contents":[{"role":"user","parts":[{"text":"Hi"}]}]}' });
}

/** What a person who starts it would read. */
async function complaintsOf(starting: Promise<unknown>): Promise<readonly string[] | null> {
  return starting.then(
    () => ['it started'],
    (thrown: unknown) => describeStartError(thrown),
  );
}

test('each tap gets its own books and its own way', async () => {
  const asked: string[] = [];
  const { taps } = await start([tap({ name: 'one' }), tap({ name: 'two' })], {
    intercept: (name) => () => {
      asked.push(name);
      return { type: 'pass' };
    },
  });
  const [one, two] = taps;
  expect((await ask(two?.url ?? '')).status).toBe(200);
  expect((await ask(one?.url ?? '')).status).toBe(200);
  expect(asked).toEqual(['two', 'one']);
  expect(one).toMatchObject({ mode: 'reverse', credential: null, isCredentialGenerated: false, certificateFile: null });
});

test('a forward tap says what its user needs; a made-up password is another one at each start', async () => {
  const dataDirectory = join(folder, 'forward');
  const first = await start([tap(forward)], { dataDirectory });
  const second = await start([tap(forward), tap({ ...forward, name: 'own', credential: new Secret('me:mine') })], {
    dataDirectory,
  });
  const [made, again, own] = [...first.taps, ...second.taps];
  expect(made).toMatchObject({
    isCredentialGenerated: true,
    certificateFile: join(dataDirectory, 'tap', 'ca.pem'),
    certificateRenewal: null,
  });
  expect(made?.credential?.reveal()).toMatch(/^[\w-]+:[\w-]{20,}$/);
  expect(again?.credential?.reveal()).not.toBe(made?.credential?.reveal());
  expect(own).toMatchObject({
    isCredentialGenerated: false,
    url: expect.stringMatching(/^http:\/\/127\.0\.0\.1:\d+$/) as string,
  });
  expect(own?.credential?.reveal()).toBe('me:mine');
  expect(JSON.stringify(second.taps)).not.toContain('mine');
});

test('an authority that has to sign for other hosts is made anew, and that is said', async () => {
  const dataDirectory = join(folder, 'renewal');
  await start([tap(forward)], { dataDirectory });
  const { taps } = await start([tap({ ...forward, hosts: ['other.example'] })], { dataDirectory });
  expect(taps[0]?.certificateRenewal).toContain('other hosts');
  const same = await start([tap(forward)], { dataDirectory, authorityHosts: ['other.example'] });
  expect(same.taps[0]?.certificateRenewal).toBeNull();
});

test('a port in use is named with its setting, and the taps before it do not stay', async () => {
  const { taps } = await start([tap()]);
  const taken = Number(new URL(taps[0]?.url ?? '').port);
  const seen: RunningTaps[] = [];
  const probe = await start([tap()]);
  const free = Number(new URL(probe.taps[0]?.url ?? '').port);
  await probe.close();
  const pair = [tap({ name: 'first', port: free }), tap({ name: 'second', port: taken })];
  expect(await complaintsOf(startTaps(pair, options()).then((running) => seen.push(running)))).toEqual([
    expect.stringContaining(`taps.second.listen: port ${String(taken)} on 127.0.0.1 is in use`),
  ]);
  expect(seen).toEqual([]);
  await start([tap({ port: free })]);
});

test('the authority is made for forward taps only, in a folder of ours alone', async () => {
  const settings = { configFile: '/work/antiphon.yaml', dataDirectory: join(folder, 'ca'), taps: [], authorityHosts: [] };
  expect(await complaintsOf(openTapAuthority(settings, Date.now))).toEqual([
    expect.stringContaining('/work/antiphon.yaml: taps: there is no tap with `mode: forward`'),
  ]);
  const withHosts = { ...settings, authorityHosts: ['models.example:443'] };
  const { certificateFile } = await openTapAuthority(withHosts, Date.now);
  expect(await readFile(certificateFile, 'utf8')).toContain('-----BEGIN CERTIFICATE-----');
  await chmod(join(folder, 'ca', 'tap'), 0o755);
  expect(await complaintsOf(openTapAuthority(withHosts, Date.now))).toEqual([expect.stringContaining('chmod 700')]);
  await writeFile(join(folder, 'file'), '');
  const nowhere = { ...withHosts, dataDirectory: join(folder, 'file') };
  expect(await complaintsOf(openTapAuthority(nowhere, Date.now))).toEqual([
    expect.stringContaining('choose another data folder with --data'),
  ]);
});

test('what a recording tap wrote down is served again, without the key', async () => {
  const recording = join(folder, 'recording');
  const settings = { configFile: null, dataDirectory: join(folder, 'unused'), authorityHosts: [], recording, taps: [tap()] };
  const running = await startRecordingTaps(settings, options());
  const original = await ask(running.taps[0]?.url ?? '');
  await running.close();
  const texts = await Promise.all((await readdir(recording)).map((name) => readFile(join(recording, name), 'utf8')));
  expect(texts.join('')).toContain('gemini-3-flash');
  expect(texts.join('')).not.toContain('AIza-secret-1');
  const replay = await startReplay({ recording, host: '127.0.0.1', port: 0, timing: 'none' });
  closables.push(replay);
  expect(replay.exchanges).toBe(1);
  const replayed = await ask(replay.url);
  expect([replayed.status, JSON.parse(replayed.text)]).toEqual([200, JSON.parse(original.text)]);
  expect(upstream.requests).toHaveLength(1);
});

test('a proxy’s password is blanked alone, too', async () => {
  const recording = join(folder, 'recording-with-password');
  const taps = [tap({ credential: new Secret('me:correct:horse') })];
  const settings = { configFile: null, dataDirectory: join(folder, 'unused'), authorityHosts: [], recording, taps };
  const running = await startRecordingTaps(settings, options());
  const body = '{"contents":[{"role":"user","parts":[{"text":"me:correct:horse or correct:horse"}]}]}';
  await sendHttp(running.taps[0]?.url ?? '', { path: call, headers: { 'content-type': 'application/json' }, body });
  await running.close();
  const texts = await Promise.all((await readdir(recording)).map((name) => readFile(join(recording, name), 'utf8')));
  expect(texts.join('')).toContain('[blanked] or [blanked]');
  expect(texts.join('')).not.toContain('horse');
});

test('a password that was made up at the start is blanked, in whatever form it is repeated', async () => {
  const recording = join(folder, 'recording-with-made-password');
  const taps = [tap(), tap({ ...forward, name: 'proxy' })];
  const settings = {
    ...{ configFile: null, dataDirectory: join(folder, 'made'), recording, taps },
    authorityHosts: ['models.example'],
  };
  const running = await startRecordingTaps(settings, options());
  const [wire, proxy] = running.taps;
  expect(proxy?.isCredentialGenerated).toBe(true);
  const credential = proxy?.credential?.reveal() ?? '';
  const password = credential.replace('antiphon:', '');
  const inHeader = Buffer.from(credential).toString('base64');
  const text = `${credential} or ${password} or ${inHeader}`;
  const body = JSON.stringify({ contents: [{ role: 'user', parts: [{ text }] }] });
  await sendHttp(wire?.url ?? '', { path: call, headers: { 'content-type': 'application/json' }, body });
  await running.close();
  const texts = await Promise.all((await readdir(recording)).map((name) => readFile(join(recording, name), 'utf8')));
  expect(texts.join('')).toContain('[blanked] or [blanked] or [blanked]');
  for (const form of [password, inHeader]) expect(texts.join('')).not.toContain(form);
});

test('a folder that is not there, or cannot be one, is one clear sentence', async () => {
  const gone = join(folder, 'gone');
  expect(await complaintsOf(startReplay({ recording: gone, host: '127.0.0.1', port: 0, timing: 'none' }))).toEqual([
    `the command line: replay: ${gone} cannot be read (ENOENT)`,
  ]);
  const file = join(folder, 'a-file');
  await writeFile(file, '');
  const settings = { configFile: null, dataDirectory: folder, authorityHosts: [], recording: file, taps: [tap()] };
  expect(await complaintsOf(startRecordingTaps(settings, options()))).toEqual([
    `the command line: --record: ${file} cannot be made or written to (EEXIST)`,
  ]);
});
