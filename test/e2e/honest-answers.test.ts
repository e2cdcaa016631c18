import { afterAll, beforeAll, expect, test } from 'vitest';
import { postResponse } from '../doubles/post-response.ts';
import { startGateway, type StartedGateway } from '../doubles/start-gateway.ts';

let gateway: StartedGateway;

beforeAll(async () => {
  gateway = await startGateway();
});

afterAll(() => gateway.close());

const look = { type: 'function', name: 'look', parameters: { type: 'object', properties: {} } };

test.each(['bad-arguments', 'cut', 'late-failure'])(
  'a failure of %s without a stream is an HTTP error that is not tried again by itself',
  async (name) => {
    const answer = await postResponse(gateway.url, { model: `rehearsal/${name}`, input: 'Call look', tools: [look] });
    expect(answer.status).toBe(502);
    expect(answer.headers.get('x-should-retry')).toBe('false');
  },
);

test("the client's own time is over: trying again would only cost again", async () => {
  const answer = await postResponse(gateway.url, { model: 'rehearsal/stall', input: 'Hello', timeout: 0.2 });
  expect(answer.status).toBe(504);
  expect(answer.headers.get('x-should-retry')).toBe('false');
});

test('without a stream late losses stand in the header too, and with the stored response', async () => {
  const answer = await postResponse(gateway.url, { model: 'rehearsal/no-usage', input: 'Hello' });
  expect(answer.headers.get('antiphon-losses')).toContain('"usage"');
  const stored = await fetch(`${gateway.url}/v1/responses/${answer.body.id}`);
  expect(stored.headers.get('antiphon-losses')).toContain('"usage"');
});

test('a timeout beyond the limit is told', async () => {
  const answer = await postResponse(gateway.url, { model: 'rehearsal/default', input: 'Hello', timeout: 1e9 });
  expect(answer.headers.get('antiphon-losses')).toContain('"timeout"');
});

test('a bare model name that a request may use is found by GET too; an unknown one is a 404', async () => {
  expect((await fetch(`${gateway.url}/v1/models/default`)).status).toBe(200);
  expect((await fetch(`${gateway.url}/v1/models/no-such-model`)).status).toBe(404);
});

test('input_items tells that the beginning of the chain is gone', async () => {
  const first = await postResponse(gateway.url, { model: 'rehearsal/default', input: 'One' });
  const second = await postResponse(gateway.url, {
    model: 'rehearsal/default',
    input: 'Two',
    previous_response_id: first.body.id,
  });
  await fetch(`${gateway.url}/v1/responses/${first.body.id}`, { method: 'DELETE' });
  const items = await fetch(`${gateway.url}/v1/responses/${second.body.id}/input_items`);
  expect(items.headers.get('antiphon-losses')).toContain(first.body.id);
});
