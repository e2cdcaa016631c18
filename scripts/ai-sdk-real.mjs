// Real providers of the AI SDK through a whole gateway, against servers on this machine: `npx tsx scripts/ai-sdk-real.mjs`. Needs the npm registry, so it is no part of `npm test`.
import { execFileSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import { loadSettings } from '../src/config/load-settings.ts';
import { createGateway } from '../src/gateway.ts';
import { postResponse } from '../test/doubles/post-response.ts';

const packages = ['@ai-sdk/openai-compatible@2.0.91', '@ai-sdk/google@3.0.141'];
const secret = 'sk-loopback-secret';
const schema = { type: 'object', properties: { city: { type: 'string' } }, required: ['city'], additionalProperties: false };
const signature = 'c2lnbmF0dXJl';

/** A server that answers each call with what `answer` makes of its body, as an event stream or as JSON. */
async function openServer(answer) {
  const seen = [];
  const server = createServer(async (request, response) => {
    let text = '';
    for await (const piece of request.setEncoding('utf8')) text += piece;
    const body = JSON.parse(text);
    seen.push({ url: request.url, headers: request.headers, body });
    const { status = 200, chunks } = answer(body, request.url);
    const isStream = body.stream === true || request.url.includes('alt=sse');
    response.writeHead(status, { 'content-type': isStream && status === 200 ? 'text/event-stream' : 'application/json' });
    if (!isStream || status !== 200) response.end(JSON.stringify(chunks[0]));
    else response.end(chunks.map((chunk) => `data: ${JSON.stringify(chunk)}\n\n`).join(''));
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return { url: `http://127.0.0.1:${server.address().port}`, seen, close: () => server.close() };
}

const wantsCall = (body) => body.tools !== undefined && !JSON.stringify(body).includes('sunny');
const wantsJson = (body) => JSON.stringify(body).includes('"city"') && body.tools === undefined;
const wantsError = (body) => JSON.stringify(body).includes('please fail');

function answerChat(body) {
  if (wantsError(body)) return { status: 429, chunks: [{ error: { message: `slow down ${secret}` } }] };
  const call = { id: 'call_a', type: 'function', function: { name: 'get_weather', arguments: '{"city":"Oslo"}' } };
  const content = wantsJson(body) ? '{"city":"Oslo"}' : 'Hello there';
  const usage = { prompt_tokens: 9, completion_tokens: 4, total_tokens: 13 };
  const reason = wantsCall(body) ? 'tool_calls' : 'stop';
  if (body.stream !== true) {
    const message = wantsCall(body) ? { role: 'assistant', tool_calls: [call] } : { role: 'assistant', content };
    return { chunks: [{ id: 'x', model: 'served-1', choices: [{ index: 0, message, finish_reason: reason }], usage }] };
  }
  const chunkOf = (delta, finish_reason = null) => ({
    id: 'x',
    model: 'served-1',
    choices: [{ index: 0, delta, finish_reason }],
  });
  const first = { ...call, index: 0, function: { name: 'get_weather', arguments: '{"ci' } };
  const deltas = wantsCall(body)
    ? [
        { reasoning_content: 'Hm.' },
        { tool_calls: [first] },
        { tool_calls: [{ index: 0, function: { arguments: 'ty":"Oslo"}' } }] },
      ]
    : [{ reasoning_content: 'Hm.' }, { content: content.slice(0, 5) }, { content: content.slice(5) }];
  return { chunks: [...deltas.map((delta) => chunkOf(delta)), chunkOf({}, reason), { choices: [], usage }] };
}

function answerGemini(body) {
  if (wantsError(body))
    return { status: 429, chunks: [{ error: { code: 429, message: `slow down ${secret}`, status: 'RESOURCE_EXHAUSTED' } }] };
  const thought = { text: 'Hm.', thought: true };
  const part = wantsCall(body)
    ? { functionCall: { name: 'get_weather', args: { city: 'Oslo' } }, thoughtSignature: signature }
    : { text: body.generationConfig?.responseMimeType === 'application/json' ? '{"city":"Oslo"}' : 'Hello there' };
  const usageMetadata = { promptTokenCount: 9, candidatesTokenCount: 4, thoughtsTokenCount: 2, totalTokenCount: 15 };
  return {
    chunks: [
      {
        candidates: [{ content: { role: 'model', parts: [thought, part] }, finishReason: 'STOP' }],
        usageMetadata,
        modelVersion: 'm',
      },
    ],
  };
}

const textOf = (body) =>
  body.output.flatMap((item) => (item.type === 'message' ? item.content.map((part) => part.text) : [])).join('');
const tools = [{ type: 'function', name: 'get_weather', parameters: schema, strict: false }];
const format = { type: 'json_schema', name: 'place', schema, strict: true };

/** Every turn: what is asked, and what must be true of the answer. */
function turnsOf(model, server) {
  const checks = [];
  const turn = (name, ask, judge) => checks.push({ name, run: async (url) => judge(await ask(url)) });
  for (const stream of [true, false]) {
    const how = stream ? 'streamed' : 'whole';
    const base = { model, stream, reasoning: { summary: 'auto' } };
    turn(
      `text, ${how}`,
      (url) => postResponse(url, { ...base, input: 'Hi' }),
      ({ body, faults }) => ({
        faults,
        isRight: textOf(body) === 'Hello there' && body.status === 'completed' && body.usage.input_tokens === 9,
      }),
    );
    turn(
      `tool and its output, ${how}`,
      async (url) => {
        const first = await postResponse(url, { ...base, input: 'The weather?', tools });
        const call = first.body.output.find((item) => item.type === 'function_call');
        const input = [{ type: 'function_call_output', call_id: call?.call_id, output: 'sunny' }];
        const next = await postResponse(url, { ...base, input, tools, previous_response_id: first.body.id });
        return { first, next, call };
      },
      ({ first, next, call }) => ({
        faults: [...first.faults, ...next.faults],
        isRight:
          isDeepStrictEqual(JSON.parse(call.arguments), { city: 'Oslo' }) &&
          textOf(next.body) === 'Hello there' &&
          (!model.startsWith('google') || JSON.stringify(server.seen.at(-1).body).includes(signature)),
      }),
    );
    turn(
      `structured output, ${how}`,
      (url) => postResponse(url, { ...base, input: 'Where?', text: { format } }),
      ({ body, faults }) => ({
        faults,
        isRight:
          isDeepStrictEqual(JSON.parse(textOf(body)), { city: 'Oslo' }) &&
          JSON.stringify(server.seen.at(-1).body).includes('"city"'),
      }),
    );
  }
  turn(
    'refused',
    (url) => postResponse(url, { model, input: 'please fail' }),
    ({ status, body }) => ({
      faults: [],
      isRight: status === 429 && body.error.code === 'rate_limit_exceeded' && !JSON.stringify(body).includes(secret),
    }),
  );
  return checks;
}

const folder = mkdtempSync(join(tmpdir(), 'antiphon-ai-sdk-'));
const chat = await openServer(answerChat);
const gemini = await openServer(answerGemini);
let gateway;
try {
  writeFileSync(join(folder, 'package.json'), '{"private":true}');
  const flags = ['--ignore-scripts', '--no-audit', '--no-fund', '--loglevel=error'];
  execFileSync('npm', ['install', ...flags, ...packages], { cwd: folder, stdio: ['ignore', 'ignore', 'inherit'] });
  const yaml = `
store: { url: 'memory:' }
log: { level: silent }
discovery: false
routing: { retries: 0 }
backends:
  compatible:
    type: ai-sdk
    package: '@ai-sdk/openai-compatible'
    options: { name: loopback, baseURL: '${chat.url}/v1', apiKey: '${secret}', includeUsage: true, supportsStructuredOutputs: true }
    model_ids: [any]
  google: { type: ai-sdk, package: '@ai-sdk/google', options: { baseURL: '${gemini.url}/v1beta', apiKey: '${secret}' } }
`;
  writeFileSync(join(folder, 'antiphon.yaml'), yaml);
  const settings = await loadSettings({
    argv: ['--config', join(folder, 'antiphon.yaml'), '--port', '0', '--data', join(folder, 'data')],
    env: {},
    workingDirectory: folder,
    homeDirectory: folder,
    readFile: async (path) => readFileSync(path, 'utf8'),
  });
  gateway = createGateway(settings);
  const { url } = await gateway.listen();
  let wrong = 0;
  for (const [model, server] of [
    ['compatible/any', chat],
    ['google/gemini-3-flash', gemini],
  ]) {
    for (const { name, run } of turnsOf(model, server)) {
      const { faults, isRight } = await run(url).catch((thrown) => ({ faults: [String(thrown)], isRight: false }));
      const isGood = isRight && faults.length === 0;
      if (!isGood) wrong += 1;
      process.stdout.write(
        `${isGood ? 'ok   ' : 'WRONG'} ${model}: ${name}${faults.length === 0 ? '' : ` – ${faults.join('; ')}`}\n`,
      );
    }
  }
  process.stdout.write(wrong === 0 ? 'all turns are right\n' : `${wrong} turns are wrong\n`);
  process.exitCode = wrong === 0 ? 0 : 1;
} finally {
  await gateway?.close();
  chat.close();
  gemini.close();
  rmSync(folder, { recursive: true, force: true });
}
