import { describe, expect, test } from 'vitest';
import { closedAfterEach } from '../../test/closed-after-each.ts';
import { openHttpUpstream } from '../../test/doubles/http-upstream.ts';
import { sendHttp } from '../../test/doubles/send-http.ts';
import { asked, startTapSessions } from '../../test/doubles/start-tap-sessions.ts';
import { startTestTap } from '../../test/doubles/start-test-tap.ts';
import { chunk, encodeBody } from '../../test/doubles/tap-conversation.ts';
import type { TapTurn } from '../model/model-tap.ts';
import { GatewayError } from '../model/errors.ts';

const open = closedAfterEach();

/** What the agent server gets when the model API answers a main call with that body. */
async function ask(
  contentType: string | null,
  body: string | Uint8Array,
  query = '?alt=sse',
): Promise<{ readonly text: string; readonly turn: TapTurn; readonly troubles: readonly unknown[] }> {
  const upstream = await openHttpUpstream((response) => {
    response.writeHead(200, contentType === null ? {} : { 'content-type': contentType });
    response.end(body);
  });
  const { intercept, openTurn } = startTapSessions();
  const tap = await startTestTap({
    upstream: upstream.url,
    intercept: ({ body: bytes, ...call }) => intercept(JSON.parse(Buffer.from(bytes).toString()), call),
  });
  open.push(tap, upstream);
  const turn = openTurn();
  const path = `/v1beta/models/gemini-3-pro:streamGenerateContent${query}`;
  const answer = sendHttp(tap.url, { path, body: encodeBody(asked(turn).body()) });
  const text = await answer.then(
    (whole) => whole.text,
    () => 'broken off',
  );
  return { text, turn, troubles: tap.troubles };
}

const call = { functionCall: { name: 'f', args: { id: 1 } } };
const answers = [chunk([{ text: 'so' }]), chunk([call]), chunk([], { finishReason: 'STOP' })];
const events = answers.map((one) => `data: ${JSON.stringify(one)}\r\n\r\n`).join('');

describe('an event stream under another name', () => {
  test.each(['text/plain', 'application/json', 'text/event-stream', null])('%s', async (contentType) => {
    const { text, turn } = await ask(contentType, events);
    expect(text).not.toContain('functionCall');
    expect(text.split('\r\n\r\n')).toHaveLength(4);
    expect(turn.takeEvents().map(({ type }) => type)).toContain('call-start');
    expect(turn.state).toMatchObject({ hasClientCalls: true, finish: 'stop', failure: null });
  });

  test('an array under the name of an event stream', async () => {
    const { text, turn } = await ask('text/event-stream', JSON.stringify(answers));
    expect(JSON.parse(text)).toHaveLength(3);
    expect(text).not.toContain('functionCall');
    expect(turn.state).toMatchObject({ hasClientCalls: true, finish: 'stop', failure: null });
  });
});

describe('what cannot be read', () => {
  test.each([
    ['broken JSON', 'text/event-stream', `${events.slice(0, 80)}\r\n\r\ndata: {"candidates":[${JSON.stringify(call)}\r\n\r\n`],
    ['JSON behind other text', 'application/json', `)]}'\n${JSON.stringify(answers)}`],
    ['one JSON text for each line', 'application/json', answers.map((one) => JSON.stringify(one)).join('\n')],
    ['a stream of fields that nobody knows', 'text/plain', `chunk: ${JSON.stringify(answers[1])}\n\n`],
  ])('does not reach the agent server when it holds a call: %s', async (_, contentType, body) => {
    const { text, turn, troubles } = await ask(contentType, body);
    expect(text).toBe('broken off');
    expect(turn.state).toMatchObject({ running: 0, hasClientCalls: false, failure: { code: 'upstream_invalid_response' } });
    expect(troubles).toEqual([expect.any(GatewayError)]);
  });

  test('reaches it as it came when it does not', async () => {
    const { text, turn } = await ask('text/html', '<html>the gateway is tired</html>');
    expect(text).toBe('<html>the gateway is tired</html>');
    expect(turn.state).toMatchObject({ failure: { code: 'upstream_invalid_response' } });
  });

  test('bytes that are not UTF-8 hide nothing', async () => {
    const [before = '', after = ''] = events.split('so"');
    const { text, turn } = await ask(
      'text/event-stream',
      Buffer.concat([Buffer.from(before), Buffer.of(0xff), Buffer.from(`"${after}`)]),
    );
    expect(text).not.toContain('functionCall');
    expect(turn.state).toMatchObject({ hasClientCalls: true, failure: null });
  });
});
