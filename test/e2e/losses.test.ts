import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { openModelUpstream, upstreamYaml, type ModelCall } from '../doubles/model-upstream.ts';
import { toEvents, toWhole, type Said } from '../doubles/model-wire.ts';
import { postResponse, type StreamAnswer } from '../doubles/post-response.ts';
import { eventStreamHead, httpAnswer, httpChunk, lastHttpChunk, type RawUpstream } from '../doubles/raw-upstream.ts';
import { errorLine } from '../doubles/send-http.ts';
import { startGateway, type StartedGateway } from '../doubles/start-gateway.ts';

const said: readonly Said[] = [{ text: 'Hello' }, { finish: 'stop' }, { usage: [3, 1] }];
const calls: ModelCall[] = [];
let upstream: RawUpstream;
let gateway: StartedGateway;

beforeAll(async () => {
  upstream = await openModelUpstream((call) => {
    calls.push(call);
    const { socket, dialect, stream } = call;
    if (!stream) socket.write(httpAnswer(toWhole(dialect, said)));
    else
      socket.write(
        Buffer.concat([Buffer.from(eventStreamHead), httpChunk(toEvents(dialect, said).join('')), Buffer.from(lastHttpChunk)]),
      );
  });
  gateway = await startGateway(upstreamYaml(upstream.url));
});
afterAll(async () => {
  await gateway.close();
  await upstream.close();
});

interface Shown {
  readonly path: string;
  readonly action: string;
  readonly reason: string;
}

const ask = (request: object, headers: Record<string, string> = {}): Promise<StreamAnswer> =>
  postResponse(gateway.url, { model: 'chat/m', input: 'Hello', ...request }, headers);

function lossesOf({ headers }: StreamAnswer): Shown[] {
  return JSON.parse(headers.get('antiphon-losses') ?? '[]') as Shown[];
}

describe.each([false, true])('stream %s', (stream) => {
  const strict = { 'antiphon-strict': 'true' };

  test('nothing lost, no header', async () => {
    const answer = await ask({ stream });
    expect([answer.status, answer.headers.get('antiphon-losses')]).toEqual([200, null]);
    expect((await ask({ stream }, strict)).status).toBe(200);
  });

  test.each([
    ['web_search on a chat server', { tools: [{ type: 'web_search' }] }, 'tools[0].type', 'unsupported_value'],
    ['a tool nobody serves', { tools: [{ type: 'image_generation' }] }, 'tools[0].type', 'unsupported_value'],
    ['an unknown top-level field', { brand_new: 1 }, 'brand_new', 'unknown_parameter'],
    ['a name from another API', { max_tokens: 5 }, 'max_tokens', 'unknown_parameter'],
  ])('%s is reported, and refused in strict mode before a model is asked', async (_what, request, path, code) => {
    const answer = await ask({ ...request, stream });
    expect([answer.status, answer.faults, answer.body.status]).toEqual([200, [], 'completed']);
    const [loss, ...others] = lossesOf(answer);
    expect([loss?.path, loss?.action, others]).toEqual([path, 'dropped', []]);
    expect(loss?.reason.length).toBeGreaterThan(10);
    const before = calls.length;
    const refused = await ask({ ...request, stream }, strict);
    expect(errorLine(refused)).toBe(`400 invalid_request_error ${code} ${path}`);
    expect(calls).toHaveLength(before);
  });

  test('web_search is no loss where it is served', async () => {
    const answer = await ask({ model: 'gemini/m', stream, tools: [{ type: 'web_search' }] }, strict);
    expect([answer.status, lossesOf(answer)]).toEqual([200, []]);
    expect(calls.at(-1)?.body).toContain('googleSearch');
  });

  test('the header is ASCII whatever a client writes, and JSON gives it back', async () => {
    const name = 'größe_🌤_"\\_\u007f_\u2028_\n';
    const answer = await ask({ stream, [name]: 1 });
    expect(answer.headers.get('antiphon-losses')).toMatch(/^[\x20-\x7e]+$/);
    expect(lossesOf(answer).map(({ path }) => path)).toEqual([name]);
  });

  test('the header stays small, and says how much it left out', async () => {
    const many = Object.fromEntries(Array.from({ length: 2000 }, (_, at) => [`field_${String(at)}`, at]));
    const answer = await ask({ stream, ...many });
    expect(answer.headers.get('antiphon-losses')?.length).toBeLessThan(8 * 1024);
    const shown = lossesOf(answer);
    const left = 2000 - (shown.length - 1);
    expect(shown.at(-1)).toMatchObject({
      path: 'antiphon-losses',
      reason: expect.stringContaining(`${String(left)} more`) as string,
    });
    const long = await ask({ stream, ['x'.repeat(100_000)]: 1 });
    expect([long.status, lossesOf(long).length]).toEqual([200, 1]);
    expect(long.headers.get('antiphon-losses')?.length).toBeLessThan(8 * 1024);
  });

  test('any other word than true is not strict', async () => {
    for (const word of ['false', '1', 'yes', ''])
      expect((await ask({ stream, brand_new: 1 }, { 'antiphon-strict': word })).status).toBe(200);
  });
});

test('counting tokens reports and refuses in the same way', async () => {
  const count = (headers: Record<string, string>): Promise<Response> =>
    fetch(`${gateway.url}/v1/responses/input_tokens`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', ...headers },
      body: JSON.stringify({ model: 'chat/m', input: 'Hello', brand_new: 1 }),
    });
  const counted = await count({});
  expect([counted.status, counted.headers.get('antiphon-losses')]).toEqual([200, expect.stringContaining('brand_new') as string]);
  expect((await count({ 'antiphon-strict': 'true' })).status).toBe(400);
});
