import { expect, test } from 'vitest';
import { closedAfterEach } from '../../test/closed-after-each.ts';
import { openHttpUpstream } from '../../test/doubles/http-upstream.ts';
import { sendHttp } from '../../test/doubles/send-http.ts';
import { asked, startTapSessions } from '../../test/doubles/start-tap-sessions.ts';
import { startTestTap } from '../../test/doubles/start-test-tap.ts';

const open = closedAfterEach();

const counted = '{ "totalTokens": 31 }\n';
const path = '/v1beta/models/gemini-3-pro:countTokens';

async function start() {
  const upstream = await openHttpUpstream((response) => {
    response.writeHead(200, { 'content-type': 'application/json', 'x-served-by': 'a' });
    response.end(counted);
  });
  const sessions = startTapSessions();
  const tap = await startTestTap({
    upstream: upstream.url,
    intercept: ({ body, ...call }) => sessions.intercept(JSON.parse(Buffer.from(body).toString()), call),
  });
  open.push(tap, upstream);
  return { ...sessions, upstream, url: tap.url };
}

test.each([
  ['of contents', (body: object) => body],
  ['of a whole request', (body: object) => ({ generateContentRequest: { model: 'models/gemini-3-pro', ...body } })],
])('the tokens %s are counted without marks, and nothing else is done', async (_, wrap) => {
  const { upstream, url, marks, openTurn } = await start();
  const turn = openTurn();
  const agent = asked(turn);
  agent.contents.push({ role: 'model', parts: [{ text: marks.writeCallMark('a') }] }, { role: 'user', parts: [{ text: 'so?' }] });
  const answer = await sendHttp(url, { path, body: JSON.stringify(wrap(agent.body())) });
  expect(answer).toMatchObject({ status: 200, text: counted, headers: { 'x-served-by': 'a' } });
  const contents = [
    { role: 'user', parts: [{ text: 'hi' }] },
    { role: 'user', parts: [{ text: 'so?' }] },
  ];
  expect(upstream.requests.map(({ url: asked, body }) => [asked, JSON.parse(body.toString()) as unknown])).toEqual([
    [path, wrap({ ...agent.body(), contents })],
  ]);
  expect(turn.state).toMatchObject({ mainCalls: 0, runningSubRequests: 0, hasThinking: false, failure: null });
  expect(turn.takeEvents()).toEqual([]);
});

test('without marks it goes through byte for byte', async () => {
  const { upstream, url } = await start();
  const body = '{ "contents": [ {"parts":[{"text":"antiphonq7 caf\\u00e9 12345678901234567890"}]} ] }';
  expect((await sendHttp(url, { path, body })).text).toBe(counted);
  expect(upstream.requests[0]?.body.toString()).toBe(body);
});
