import { createServer, type Server } from 'node:http';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { toRepairLoss } from '../../src/translate/responses/repair-losses.ts';
import { brokenStreams, goodStream, whole, type Shown } from '../doubles/broken-streams.ts';
import { postResponse, type StreamAnswer } from '../doubles/post-response.ts';
import { eventFrames } from '../doubles/responses-events.ts';
import { readChatStream } from '../check-chat-stream.ts';
import { startGateway, type StartedGateway } from '../doubles/start-gateway.ts';

/** Told by the failure itself, by counted tokens, or after the end, where nobody reads any more. */
const untold = new Set(['terminal-missing', 'usage-missing', 'nothing-after-terminal', 'arguments-json']);

describe('a Responses server that breaks one rule of the event grammar', () => {
  let upstream: Server;
  let gateway: StartedGateway;

  beforeAll(async () => {
    upstream = createServer((request, response) => {
      let body = '';
      request.setEncoding('utf8').on('data', (piece: string) => (body += piece));
      request.on('end', () => {
        const { model } = JSON.parse(body) as { model: string };
        const broken = brokenStreams.find(({ rule }) => rule === model);
        response.writeHead(200, { 'content-type': 'text/event-stream' });
        response.end(eventFrames(broken?.plant(goodStream()) ?? goodStream()));
      });
    }).listen(0, '127.0.0.1');
    await once(upstream, 'listening');
    gateway = await startGateway(`
store: { url: "memory:" }
routing: { retries: 0, breaker: off }
backends:
  upstream: { type: responses, base_url: "http://127.0.0.1:${String((upstream.address() as AddressInfo).port)}" }
`);
  });

  afterAll(async () => {
    await gateway.close();
    upstream.closeAllConnections();
    upstream.close();
  });

  const cases = brokenStreams.map((broken) => [broken.rule, broken] as const);

  test.each(cases)('%s: the client gets a clean stream', async (rule, { shown }) => {
    const answer = await ask(rule, true);
    expect(answer.faults).toEqual([]);
    expect(shownBy(answer)).toEqual({ ...whole, ...shown });
  });

  test.each(cases)('%s: so does one who does not stream, and the repair is reported once', async (rule, { shown }) => {
    const answer = await ask(rule, false);
    if (shown?.status === 'failed') {
      expect([answer.status, answer.headers.get('x-should-retry')]).toEqual([502, 'false']);
      return;
    }
    expect(shownBy(answer)).toEqual({ ...whole, ...shown });
    const told = lossesOf(answer).filter(({ reason }) => reason.includes(` ${rule} `));
    expect(told).toEqual(untold.has(rule) ? [] : [toRepairLoss(rule)]);
  });

  test.each(cases)('%s: and a chat client', async (rule, { shown }) => {
    const { text, reasoning, call, status } = { ...whole, ...shown };
    const answer = await fetch(`${gateway.url}/v1/chat/completions`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ model: `upstream/${rule}`, messages: [{ role: 'user', content: 'Hi' }], stream: true }),
    });
    const { answer: joined, faults } = readChatStream(await answer.text(), { includesUsage: false });
    expect(faults).toEqual([]);
    expect([joined.content, joined.reasoning, joined.finishReason, joined.error !== null]).toEqual([
      ...[text, reasoning, status === 'completed' ? 'tool_calls' : null, status === 'failed'],
    ]);
    if (status === 'completed') expect(joined.calls.map((each) => each.arguments)).toEqual([call]);
  });

  test('a good stream is reported as it is, without any loss', async () => {
    const answer = await ask('good', false);
    expect(lossesOf(answer)).toEqual([]);
    expect(shownBy(answer)).toEqual(whole);
  });

  test('a repair that comes too late for a header is counted', async () => {
    const before = await countLosses();
    await ask('text-done', true);
    expect(await countLosses()).toBe(before + 1);
  });

  test('what failed says so in words', async () => {
    const { body } = await ask('terminal-missing', true);
    expect(body.error).toMatchObject({ code: 'upstream_truncated' });
    expect(body.output.map(({ type }) => type)).toEqual(['reasoning', 'message', 'function_call']);
  });

  async function countLosses(): Promise<number> {
    const text = await (await fetch(`${gateway.url}/metrics`)).text();
    return Number(/^antiphon_losses_total\{action="approximated"\} (\d+)$/m.exec(text)?.[1] ?? 0);
  }

  function ask(model: string, stream: boolean): Promise<StreamAnswer> {
    return postResponse(gateway.url, { model: `upstream/${model}`, input: 'Hi', stream });
  }
});

function shownBy({ body }: StreamAnswer): Shown {
  const join = (texts: readonly (string | undefined)[]): string => texts.map((text) => text ?? '').join('');
  return {
    text: join(body.output.flatMap((item) => item.content ?? []).map(({ text }) => text)),
    reasoning: join(body.output.flatMap((item) => item.summary ?? []).map(({ text }) => text)),
    call: join(body.output.filter(({ type }) => type === 'function_call').map((item) => item.arguments)),
    status: body.status === 'completed' ? 'completed' : 'failed',
  };
}

function lossesOf({ headers }: StreamAnswer): { reason: string }[] {
  return JSON.parse(headers.get('antiphon-losses') ?? '[]') as { reason: string }[];
}
