import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { askGemini, readReply, type GeminiReply, type GeminiWay } from '../../doubles/ask-gemini.ts';
import { sendHttp } from '../../doubles/send-http.ts';
import { startGateway, type StartedGateway } from '../../doubles/start-gateway.ts';

let gateway: StartedGateway;

beforeAll(async () => {
  gateway = await startGateway();
});

afterAll(() => gateway.close());

const contents = [{ role: 'user', parts: [{ text: 'Say hello to the sea' }] }];
const ways: readonly GeminiWay[] = ['whole', 'sse', 'array'];

function post(path: string, body: unknown, headers: Record<string, string> = {}): Promise<Response> {
  return fetch(gateway.url + path, {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...headers },
    body: typeof body === 'string' ? body : JSON.stringify(body),
  });
}

function textOf({ answer }: GeminiReply): string {
  return (answer?.candidates[0].content.parts ?? []).map((part) => ('text' in part ? part.text : '')).join('');
}

describe('the framing', () => {
  test('of events is data and nothing else', async () => {
    const { text, headers } = await askGemini(gateway.url, { model: 'rehearsal/default', body: { contents }, way: 'sse' });
    expect(headers.get('content-type')).toBe('text/event-stream');
    expect(text).toMatch(/^data: \{.*\}\r\n\r\n/);
    expect(text).not.toMatch(/\[DONE\]|^:|^event:/m);
  });

  test('of an array is JSON as a whole', async () => {
    const { text, headers } = await askGemini(gateway.url, { model: 'rehearsal/default', body: { contents }, way: 'array' });
    expect(headers.get('content-type')).toBe('application/json; charset=UTF-8');
    expect(text).toMatch(/^\[\{[^]*\}\n,\n\{[^]*\}\n\]$/);
  });

  test('is the only difference', async () => {
    const replies = await Promise.all(
      ways.map((way) => askGemini(gateway.url, { model: 'rehearsal/default', body: { contents }, way })),
    );
    const said = replies.map((reply) => [reply.faults, textOf(reply), reply.answer?.usageMetadata]);
    expect(said[0]?.[0]).toEqual([]);
    expect(said[1]).toEqual(said[0]);
    expect(said[2]).toEqual(said[0]);
  });

  test('stays silent while the model does: a comment would break clients', async () => {
    const chatty = await startGateway('keep_alive: { comment: 5ms, event: 5ms }\nstore: { url: "memory:" }');
    const [slow, quick] = await Promise.all(
      [chatty, gateway].map(({ url }, at) =>
        askGemini(url, { model: `rehearsal/${at === 0 ? 'slow' : 'default'}`, body: { contents }, way: 'sse' }),
      ),
    );
    expect(slow?.faults).toEqual([]);
    expect(slow?.chunks.length).toBe(quick?.chunks.length);
    await chatty.close();
  });
});

describe('a model in the URL', () => {
  test.each([
    '/v1beta/models/rehearsal/default:generateContent',
    '/v1beta/models/rehearsal%2Fdefault:generateContent',
    '/v1beta/models/rehearsal%2fdefault%3AgenerateContent',
    '/v1beta/models/models/rehearsal/default:generateContent',
    '/v1beta/tunedModels/rehearsal/default:generateContent',
    '/v1/models/rehearsal/default:generateContent',
    '/v1/models/rehearsal/default:generateContent?key=unused&alt=json',
  ])('%s', async (path) => {
    const reply = await readReply(await post(path, { contents }), 'whole');
    expect([reply.status, reply.faults, reply.answer?.modelVersion]).toEqual([200, [], 'rehearsal/default']);
  });

  test.each([
    ['/v1beta/models/rehearsal/default:embedContent', 404, 'embedContent'],
    ['/v1beta/models/rehearsal/default', 404, 'generateContent'],
    ['/v1beta/models/:generateContent', 404, 'generateContent'],
    ['/v1beta/models/nobody/nothing:generateContent', 404, "'nobody/nothing' does not exist"],
    ['/v1/models/nobody/nothing:streamGenerateContent?alt=sse', 404, "'nobody/nothing' does not exist"],
  ])('%s is a %i in the words of Google', async (path, status, words) => {
    const reply = await readReply(await post(path, { contents }), 'whole');
    expect([reply.status, reply.error?.code, reply.error?.status]).toEqual([status, status, 'NOT_FOUND']);
    expect(reply.error?.message).toContain(words);
  });
});

describe('POST /v1/gemini', () => {
  const functionDeclarations = [
    { name: 'get_weather', description: 'Weather', parameters: { type: 'OBJECT', properties: { city: { type: 'STRING' } } } },
  ];
  const body = { model: 'models/rehearsal/default', contents: 'Call get_weather for Oslo', tools: [{ functionDeclarations }] };

  test.each([
    ['/v1/gemini', {}, 'whole'],
    ['/v1/gemini', { stream: true }, 'sse'],
    ['/v1/gemini?alt=sse', {}, 'sse'],
    ['/v1/gemini?alt=json', { stream: true }, 'array'],
  ] as const)('%s %j answers %s: function declarations in, a function call out', async (path, more, way) => {
    const reply = await readReply(await post(path, { ...body, ...more }), way);
    expect(reply.faults).toEqual([]);
    const call = reply.answer?.candidates[0].content.parts.find((part) => 'functionCall' in part);
    expect(call).toMatchObject({ functionCall: { name: 'get_weather', args: { city: expect.any(String) as string } } });
  });
});

describe('errors', () => {
  test('name the field as the client wrote it', async () => {
    const bad = { generation_config: { top_k: 'many' }, contents };
    const reply = await readReply(await post('/v1beta/models/rehearsal/default:generateContent', bad), 'whole');
    expect(reply.error).toMatchObject({ code: 400, status: 'INVALID_ARGUMENT' });
    expect(JSON.stringify(reply.error?.details)).toContain('"field":"generation_config.top_k"');
  });

  test('name a signature that was altered', async () => {
    const tools = [{ functionDeclarations: [{ name: 'get_weather', description: 'Weather' }] }];
    const asked = [{ role: 'user', parts: [{ text: 'Call get_weather' }] }];
    const body = { contents: asked, tools, generationConfig: { thinkingConfig: { thinkingLevel: 'high' } } };
    const { answer } = await askGemini(gateway.url, { model: 'rehearsal/default', body, way: 'whole' });
    const parts = answer?.candidates[0].content.parts ?? [];
    const at = parts.findIndex(({ thoughtSignature }) => thoughtSignature !== undefined);
    const sealed = atob(parts[at]?.thoughtSignature ?? '');
    const altered = btoa(sealed.slice(0, -4) + (sealed.endsWith('AAAA') ? 'BBBB' : 'AAAA'));
    const returned = {
      role: 'model',
      parts: parts.map((part, place) => (place === at ? { ...part, thoughtSignature: altered } : part)),
    };
    const call = parts.find((part) => 'functionCall' in part);
    const responses = { role: 'user', parts: [{ functionResponse: { name: 'get_weather', response: { output: 'cold' } } }] };
    expect(call).toBeDefined();
    const send = (model: object): Promise<GeminiReply> =>
      askGemini(gateway.url, {
        model: 'rehearsal/default',
        body: { ...body, contents: [...asked, model, responses] },
        way: 'whole',
      });
    const refused = await send(returned);
    expect(refused.status).toBe(400);
    expect(JSON.stringify(refused.error?.details)).toContain(`"field":"contents[1].parts[${String(at)}].thoughtSignature"`);
    expect((await send({ role: 'model', parts })).status).toBe(200);
  });

  test('name it also where the engine finds them', async () => {
    const altered = { role: 'model', parts: [{ text: 'Hi', thoughtSignature: btoa('antiphon.v1.AAAA') }] };
    const reply = await readReply(
      await post('/v1beta/models/rehearsal/default:generateContent', { contents: [...contents, altered, ...contents] }),
      'whole',
    );
    // A seal of another gateway is a loss, not an error.
    expect(reply.status).toBe(200);
    expect(reply.headers.get('antiphon-losses')).toContain('"path":"contents[1].parts[0].thoughtSignature"');
  });

  test.each([
    ['{', 'application/json', 400],
    ['{}', 'text/plain', 415],
  ])('of the body %s as %s', async (body, type, status) => {
    const reply = await post('/v1beta/models/rehearsal/default:generateContent', body, { 'content-type': type });
    expect([reply.status, ((await reply.json()) as { error: { code: number } }).error.code]).toEqual([status, status]);
  });

  test.each([
    ['PUT', '/v1beta/models/rehearsal/default:generateContent', 405],
    ['DELETE', '/v1beta/models', 405],
    ['POST', '/v1beta/interactions', 404],
    ['GET', '/v1beta/nothing', 404],
    ['PUT', '/v1/gemini', 405],
  ])('of a path that is none are in the words of Google too: %s %s', async (method, path, status) => {
    const reply = await readReply(await fetch(gateway.url + path, { method }), 'whole');
    expect([reply.status, reply.error?.code, reply.error?.status]).toEqual([
      status,
      status,
      status === 404 ? 'NOT_FOUND' : 'INVALID_ARGUMENT',
    ]);
  });

  test('in the middle of a stream end it, in either framing', async () => {
    for (const way of ['sse', 'array'] as const) {
      const { status, faults, error, chunks } = await askGemini(gateway.url, {
        model: 'rehearsal/late-failure',
        body: { contents },
        way,
      });
      expect([status, faults]).toEqual([200, []]);
      expect(chunks.length).toBeGreaterThan(1);
      expect(error?.code).toBeGreaterThanOrEqual(500);
    }
  });

  test('before a stream has begun are statuses', async () => {
    const { status, error } = await askGemini(gateway.url, { model: 'rehearsal/429', body: { contents }, way: 'sse' });
    expect([status, error?.status]).toEqual([429, 'RESOURCE_EXHAUSTED']);
  });

  test('after half an answer are statuses where nobody streams', async () => {
    const { status, error } = await askGemini(gateway.url, { model: 'rehearsal/late-failure', body: { contents }, way: 'whole' });
    expect(status).toBe(error?.code);
    expect(status).toBeGreaterThanOrEqual(500);
  });
});

describe('what cannot be done', () => {
  const body = { contents, tools: [{ urlContext: {} }], cachedContent: 'cachedContents/a' };

  test('is reported by the names of the client', async () => {
    const { status, headers } = await askGemini(gateway.url, { model: 'rehearsal/default', body, way: 'sse' });
    expect(status).toBe(200);
    const losses = JSON.parse(headers.get('antiphon-losses') ?? '[]') as { path: string }[];
    expect(losses.map(({ path }) => path)).toEqual(expect.arrayContaining(['tools[0].urlContext', 'cachedContent']));
  });

  test('is refused in strict mode', async () => {
    const headers = { 'antiphon-strict': 'true' };
    const { status, error } = await askGemini(gateway.url, { model: 'rehearsal/default', body, way: 'whole', headers });
    expect([status, error?.status]).toEqual([400, 'INVALID_ARGUMENT']);
  });
});

describe('keys', () => {
  test('come as x-goog-api-key, and what is refused is refused in the words of Google', async () => {
    const guarded = await startGateway('server: { keys: ["gateway-key-1"] }\nstore: { url: "memory:" }');
    const ask = (headers: Record<string, string>): Promise<GeminiReply> =>
      askGemini(guarded.url, { model: 'rehearsal/default', body: { contents }, way: 'whole', headers });
    expect((await ask({ 'x-goog-api-key': 'gateway-key-1' })).status).toBe(200);
    const refused = await ask({ 'x-goog-api-key': 'wrong' });
    expect([refused.status, refused.error?.status]).toEqual([401, 'UNAUTHENTICATED']);
    await guarded.close();
  });
});

describe('countTokens', () => {
  test('counts system text and tools in either form', async () => {
    const count = async (body: object): Promise<number> => {
      const reply = await post('/v1beta/models/rehearsal/default:countTokens', body);
      return ((await reply.json()) as { totalTokens: number }).totalTokens;
    };
    const bare = await count({ contents });
    const whole = await count({ generateContentRequest: { contents, systemInstruction: 'Be as brief as you can be, please.' } });
    expect(bare).toBeGreaterThan(0);
    expect(whole).toBeGreaterThan(bare);
  });

  test('refuses what is wrong by its name', async () => {
    const { status, text } = await sendHttp(gateway.url, {
      path: '/v1beta/models/rehearsal/default:countTokens',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ contents: [{ role: 'assistant', parts: [] }] }),
    });
    expect([status, text.includes('contents[0].role')]).toEqual([400, true]);
  });
});
