import { describe, expect, test } from 'vitest';
import { createRecordingBench, readFolder } from '../../test/doubles/recording-proxy.ts';
import { sendHttp } from '../../test/doubles/send-http.ts';
import { Secret } from '../model/secret.ts';
import { createSecretBlanker } from './recording/blank-secrets.ts';

const { openRun, listen, startProxy } = createRecordingBench();
const path = '/v1beta/models/gemini-3-pro:streamGenerateContent';

/** Put together here, so that no file holds anything that looks like a key. */
const letters = 'Qx7Rb2Lm9Kd4Vn6Tz8Wp3Ys5Hj1Gf0CuEaBo';
const canaries = {
  header: `header-canary-${letters}`,
  ownHeader: `own-canary-${letters}`,
  proxy: `proxy-canary-${letters}`,
  password: `basic-canary-${letters}`,
  cookie: `cookie-canary-${letters}`,
  query: `query/canary+${letters}`,
  given: `given "canary"/é ${letters}`,
  google: ['AI', `za${letters}`].join(''),
  openai: ['s', `k-proj-${letters}`].join(''),
  oauth: ['ya', `29.${letters}`].join(''),
  token: ['ey', 'JhbGciOiJI.ey', `JzdWIiOiIx.${letters}`].join(''),
  member: `member-canary-${letters}`,
  answered: `answered-canary-${letters}`,
};

/** Every canary in any spelling that somebody could read it from. */
function findCanaries(text: string): string[] {
  const spellings = (canary: string): string[] => [
    canary,
    JSON.stringify(canary).slice(1, -1),
    encodeURIComponent(canary),
    Buffer.from(canary).toString('base64'),
  ];
  return Object.entries(canaries).flatMap(([name, canary]) =>
    spellings(canary).some((spelling) => text.includes(spelling)) ? [name] : [],
  );
}

/** A call with a canary in every place that a credential may be in, and an answer that quotes them all. */
async function playCanaries(): Promise<{ directory: string; sent: string }> {
  const run = await openRun({ secrets: [new Secret(canaries.given)] });
  let sent = '';
  const { header, ownHeader, query, proxy, password, cookie, given, google, openai, oauth, token, member, answered } = canaries;
  const upstream = await listen((request, response) => {
    sent += [request.url, ...request.rawHeaders].join(' ');
    const quoted = JSON.stringify({
      header,
      query,
      given,
      google,
      note: `say ${openai} and ${JSON.stringify({ api_key: member })}`,
    });
    response.writeHead(200, { 'content-type': 'text/event-stream', 'set-cookie': `sid=${answered}; Path=/`, 'x-echo': header });
    response.end(`data: ${quoted}\n\ndata:${quoted}\n\n: ${answered}\n\n`);
    sent += quoted + answered;
  });
  // All but the one that nothing but the name of its member makes a secret.
  const said = Object.values(canaries).filter((canary) => canary !== member);
  const body = JSON.stringify({ contents: [{ parts: [{ text: said.join(' ') }] }], access_token: member });
  sent += body;
  await sendHttp(await startProxy(upstream, run.recorder), {
    path: `${path}?alt=sse&key=${encodeURIComponent(query)}&other=${google}`,
    headers: {
      'content-type': 'application/json',
      authorization: `Bearer ${header}`,
      'X-Api-Key': ownHeader,
      'proxy-authorization': `Basic ${btoa(`me:${password}`)}`,
      cookie: `a=1; sid=${cookie}`,
      'user-agent': `tool/1 ${oauth}`,
      'x-strange': token,
      'x-proxy-token': proxy,
    },
    body,
  });
  await run.recorder.close();
  expect(run.troubles).toEqual([]);
  return { directory: run.directory, sent };
}

test('no canary is in the files, wherever it was', async () => {
  const { directory, sent } = await playCanaries();
  // The search finds what is there: all of them were on the wire.
  expect(findCanaries(sent)).toEqual(Object.keys(canaries));
  const text = await readFolder(directory);
  expect(findCanaries(text)).toEqual([]);
  expect(text).not.toContain(letters);
  const [recording] = text
    .split('\n')
    .map((line) => JSON.parse(line || 'null') as { request: { path: string; headers: object } });
  expect(recording?.request.path).toBe(`${path}?alt=sse&key=[blanked]&other=[blanked]`);
  expect(recording?.request.headers).toEqual({
    'content-type': 'application/json',
    authorization: '[blanked]',
    'x-api-key': '[blanked]',
    'proxy-authorization': '[blanked]',
    cookie: '[blanked]',
    'user-agent': '[blanked]',
    'x-strange': '[blanked]',
    'x-proxy-token': '[blanked]',
  });
});

describe('what is left as it is', () => {
  const blanker = createSecretBlanker([]);
  blanker.learn('/?alt=sse', { 'x-auth-mode': 'standard', 'content-type': 'application/json', authorization: 'Bearer none' });

  test.each([
    'standard words, none of them a credential, application/json',
    'the sk-in-treasuries, the task-force-2026-report-on-things and risk-4242424242424242',
    `{"thoughtSignature":"abc${['AI', 'za'].join('')}${letters}${letters}","id":"resp_0850765c843cca5300699cc47d93c0819089a181f5feeff8eb"}`,
    '{"required":["api_key"],"properties":{"api_key":{"type":"string"},"token":{"type":"string"}}}',
    'see https://example.com/?code=1234&access_token= and (code=5)',
  ])('%s', (text) => {
    expect(blanker.blankText(text)).toBe(text);
  });

  test('parameters and headers of no importance', () => {
    expect(blanker.blankPath('/v1/models/a:generateContent?alt=sse&pageSize=5')).toBe(
      '/v1/models/a:generateContent?alt=sse&pageSize=5',
    );
    expect(blanker.blankHeaders({ 'User-Agent': 'google-genai-sdk/1.2.3 node/20', 'x-own': 'hm' })).toEqual({
      'user-agent': 'google-genai-sdk/1.2.3 node/20',
      'x-own': '[blanked]',
    });
  });
});

test('JSON stays JSON, also inside strings', () => {
  const blanker = createSecretBlanker([new Secret('pass"word\\')]);
  const inner = JSON.stringify({ api_key: 'a\\b"c', text: 'pass"word\\' });
  const text = JSON.stringify({ authorization: 'x"y\\', inner, list: ['pass"word\\'] });
  const value = JSON.parse(blanker.blankText(text)) as { inner: string };
  expect(value).toMatchObject({ authorization: '[blanked]', list: ['[blanked]'] });
  expect(value.inner).not.toContain('pass"word');
});

test('forms', () => {
  const form = `grant_type=refresh_token&refresh_token=${letters}&client_secret=abc%20d&scope=a`;
  expect(createSecretBlanker([]).blankText(form)).toBe(
    'grant_type=refresh_token&refresh_token=[blanked]&client_secret=[blanked]&scope=a',
  );
});
