import { afterAll, beforeAll, expect, test } from 'vitest';
import { buildGateway, type BuiltGateway } from '../doubles/gateway-process.ts';
import { dialects, openModelUpstream, upstreamKeys, upstreamYaml } from '../doubles/model-upstream.ts';
import { referenceAnswer, referenceRequest, toEvents } from '../doubles/model-wire.ts';
import { readStream } from '../doubles/post-response.ts';
import { eventStreamHead, httpAnswer, httpChunk } from '../doubles/raw-upstream.ts';

let built: BuiltGateway;
beforeAll(async () => {
  built = await buildGateway();
}, 60_000);
afterAll(() => built.remove());

const faults = ['400', '401', '403', '404', '429', '500', '503', 'html', 'body', 'stream', 'cut', 'reset'].flatMap((fault) =>
  dialects.flatMap((dialect) => [false, true].map((stream) => ({ model: `${dialect}/${fault}`, stream }))),
);

interface Answer {
  readonly status: number;
  readonly headers: string;
  readonly text: string;
}

async function post(url: string, body: unknown, headers: Record<string, string> = {}): Promise<Answer> {
  const answer = await fetch(`${url}/v1/responses`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...headers },
    body: typeof body === 'string' ? body : JSON.stringify(body),
  });
  return { status: answer.status, headers: JSON.stringify([...answer.headers]), text: await answer.text() };
}

/** Resolves with the headers of a stream. */
function openStream(url: string, model: string): Promise<Response> {
  const body = JSON.stringify(referenceRequest(model, true));
  return fetch(`${url}/v1/responses`, { method: 'POST', headers: { 'content-type': 'application/json' }, body });
}

test('no credential stands in any answer, header or line of output, whatever the model server says and the log level is', async () => {
  const clientKeys = ['sk-client-alice-0123456789', 'sk-client-bob-0123456789'];
  const envelopeKey = Buffer.alloc(32, 7).toString('base64');
  const headerSecret = 'header-secret-0123456789';
  const secrets = [...clientKeys, envelopeKey, headerSecret, ...Object.values(upstreamKeys)];

  const seenHeads: string[] = [];
  /** A server that repeats the credentials it was sent, wherever it can. */
  const upstream = await openModelUpstream(({ socket, dialect, model, stream, head }) => {
    seenHeads.push(head);
    const message = `bad key ${upstreamKeys[dialect]} with ${headerSecret}`;
    const error = JSON.stringify({ error: { message, code: model, status: model, type: message } });
    if (model === 'cut') socket.end(`${eventStreamHead}zz`);
    else if (model === 'reset') socket.resetAndDestroy();
    else if (/^\d+$/.test(model)) socket.write(httpAnswer(error, { 'x-echo': message }, `${model} Status`));
    else if (model === 'html') socket.write(httpAnswer(`<html>${message}</html>`, { 'content-type': 'text/html' }, '500 Bad'));
    else if (!stream || model === 'body') socket.write(httpAnswer(error));
    else
      socket.write(
        Buffer.concat([
          Buffer.from(eventStreamHead),
          httpChunk(`${toEvents(dialect, [{ text: 'Hello' }])[0] ?? ''}data: ${error}\n\n`),
        ]),
      );
  });
  const yaml = upstreamYaml(upstream.url, {
    backend: `, headers: { x-secret: "${headerSecret}" }`,
    more: `server: { keys: ["${clientKeys.join('", "')}"] }\nstore: { url: "memory:" }\nenvelope: { keys: ["${envelopeKey}"] }\nlog: { level: trace, content: true }`,
  });
  const gateway = await built.start(yaml);
  const answers: Answer[] = [];
  for (const key of [...clientKeys, 'sk-wrong']) {
    const headers = { authorization: `Bearer ${key}` };
    for (const { model, stream } of faults) answers.push(await post(gateway.url, referenceRequest(model, stream), headers));
    const thinking = {
      model: 'rehearsal/default',
      input: 'x',
      reasoning: { effort: 'low' },
      include: ['reasoning.encrypted_content'],
    };
    for (const body of [thinking, '{', { model: 'nobody', input: 'x' }, { model: 'rehearsal/throws', input: 'x', stream: true }])
      answers.push(await post(gateway.url, body, headers));
    for (const path of ['/v1/models', '/metrics', '/health', '/nowhere']) {
      const answer = await fetch(`${gateway.url}${path}`, { headers });
      answers.push({ status: answer.status, headers: JSON.stringify([...answer.headers]), text: await answer.text() });
    }
  }
  gateway.kill('SIGTERM');
  expect(await gateway.exit).toBe(0);

  const everything = { answers: JSON.stringify(answers), output: gateway.output() };
  for (const [where, text] of Object.entries(everything))
    for (const secret of secrets) expect(text.includes(secret), `${secret} in ${where}`).toBe(false);
  // The test looks where something is to be seen: the server got the keys, answers and log speak of its words.
  expect(seenHeads.some((head) => head.includes(upstreamKeys.chat) && head.includes(headerSecret))).toBe(true);
  expect(everything.answers).toContain('[secret]');
  expect(everything.output).toContain('[secret]');
  expect(everything.output).toContain('rate_limit_exceeded');
  expect(answers.filter(({ status }) => status === 401)).toHaveLength(answers.length / 3 - 1);
  await upstream.close();
}, 120_000);

test('SIGTERM with live streams: each ends with a terminal event by the deadline, and the process with exit code 0', async () => {
  const upstream = await openModelUpstream(({ socket, dialect, model }) => {
    const frames = toEvents(dialect, referenceAnswer);
    socket.write(eventStreamHead);
    if (model !== 'silent') socket.write(httpChunk(frames.slice(0, 2).join('')));
  });
  const yaml = upstreamYaml(upstream.url, {
    more: 'server: { shutdown: 700ms }\nstore: { url: "sqlite:./stop.db" }\nlog: { level: silent }',
  });
  const gateway = await built.start(yaml);
  const models = dialects.flatMap((dialect) => [`${dialect}/text`, `${dialect}/silent`]);
  // With the headers here, the call is accepted and the stream lives.
  const streams = await Promise.all(
    [...models, ...models, 'rehearsal/stall-text'].map((model) => openStream(gateway.url, model)),
  );
  const waiting = models.map((model) => post(gateway.url, referenceRequest(model, false)));
  await upstream.arrived(models.length * 3);
  gateway.kill('SIGTERM');
  const ended = (await Promise.all(streams.map((stream) => stream.text()))).map(readStream);
  expect(ended.flatMap(({ faults: found }) => found)).toEqual([]);
  const responses = ended.flatMap(({ events }) => events.at(-1)?.response ?? []);
  // With something to keep: incomplete. With nothing: failed.
  expect(new Set(responses.map(({ status }) => status))).toEqual(new Set(['incomplete', 'failed']));
  for (const { status, incomplete_details: details } of responses)
    expect(details).toEqual(status === 'incomplete' ? { reason: 'timeout' } : null);
  for (const { status } of await Promise.all(waiting)) expect([200, 504]).toContain(status);
  expect(await gateway.exit).toBe(0);

  const again = await built.start(yaml);
  for (const response of responses)
    expect(await (await fetch(`${again.url}/v1/responses/${response.id}`)).json()).toEqual(response);
  again.kill('SIGTERM');
  expect(await again.exit).toBe(0);
  await upstream.close();
}, 120_000);

test('SIGTERM ends a gateway whose client has stopped reading', async () => {
  const upstream = await openModelUpstream(({ socket, dialect }) => {
    socket.write(eventStreamHead);
    const chunk = httpChunk((toEvents(dialect, [{ text: 'x'.repeat(8000) }])[0] ?? '').repeat(8));
    const flood = (): void => {
      while (!socket.destroyed && socket.write(chunk));
    };
    socket.on('drain', flood);
    flood();
  });
  const gateway = await built.start(
    upstreamYaml(upstream.url, { more: 'server: { shutdown: 300ms }\nstore: { url: "memory:" }\nlog: { level: silent }' }),
  );
  const deaf = await openStream(gateway.url, 'chat/flood');
  expect(deaf.status).toBe(200);
  gateway.kill('SIGTERM');
  expect(await gateway.exit).toBe(0);
  await deaf.body?.cancel().catch(() => undefined);
  await upstream.close();
}, 60_000);
