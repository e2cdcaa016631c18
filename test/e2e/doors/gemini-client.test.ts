import {
  ApiError,
  createPartFromFunctionResponse,
  FunctionCallingConfigMode,
  GoogleGenAI,
  Type,
  type FunctionCall,
  type GenerateContentResponse,
} from '@google/genai';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { startGeminiModel, type GeminiModel } from '../../doubles/gemini-model/start-gemini-model.ts';
import { startGateway, type StartedGateway } from '../../doubles/start-gateway.ts';

let upstream: GeminiModel;
let gateway: StartedGateway;
let client: GoogleGenAI;

beforeAll(async () => {
  upstream = await startGeminiModel({ models: ['gemini-3-flash'] });
  gateway = await startGateway(`
store: { url: "memory:" }
backends:
  google: { type: gemini, api_key: test, base_url: "${upstream.url}" }
`);
  // What this gateway makes of the answers of both: its own encoding, behind Gemini too.
  const headers = { 'antiphon-pass-through': 'off' };
  client = new GoogleGenAI({ apiKey: 'none needed', httpOptions: { baseUrl: gateway.url, headers } });
});

afterAll(async () => {
  await gateway.close();
  await upstream.close();
});

const models = ['rehearsal/default', 'google/gemini-3-flash'];
const weather = {
  name: 'get_weather',
  description: 'Weather of a city',
  parameters: { type: Type.OBJECT, properties: { city: { type: Type.STRING } }, required: ['city'] },
};
const weatherByJsonSchema = {
  name: 'get_weather',
  description: 'Weather of a city',
  parametersJsonSchema: { type: 'object', properties: { city: { type: 'string' } }, required: ['city'] },
};

async function collect(stream: AsyncGenerator<GenerateContentResponse>): Promise<GenerateContentResponse[]> {
  const chunks: GenerateContentResponse[] = [];
  for await (const chunk of stream) chunks.push(chunk);
  return chunks;
}

function callsOf(chunks: readonly GenerateContentResponse[]): FunctionCall[] {
  return chunks.flatMap(({ functionCalls }) => functionCalls ?? []);
}

describe.each(models)("Google's own client with %s", (model) => {
  test('generates', async () => {
    const answer = await client.models.generateContent({
      model,
      contents: 'Say hello to the sea',
      config: { systemInstruction: 'Be brief.' },
    });
    expect(answer.text?.length).toBeGreaterThan(0);
    expect(answer.candidates?.[0]?.finishReason).toBe('STOP');
    expect(answer.modelVersion).toBe(model);
    const usage = answer.usageMetadata;
    expect(usage?.promptTokenCount).toBeGreaterThan(0);
    const counted = [usage?.promptTokenCount, usage?.candidatesTokenCount, usage?.thoughtsTokenCount].map((count) => count ?? 0);
    expect(usage?.totalTokenCount).toBe(counted.reduce((sum, count) => sum + count, 0));
  });

  test('streams', async () => {
    const chunks = await collect(await client.models.generateContentStream({ model, contents: 'Say hello to the sea' }));
    expect(chunks.length).toBeGreaterThan(1);
    expect(chunks.map(({ text }) => text ?? '').join('').length).toBeGreaterThan(0);
    expect(chunks.filter(({ candidates }) => candidates?.[0]?.finishReason !== undefined)).toEqual([chunks.at(-1)]);
  });

  test.each([weather, weatherByJsonSchema])(
    'calls tools and takes their answers, in a chat that keeps what it got',
    async (declaration) => {
      const chat = client.chats.create({
        model,
        config: { tools: [{ functionDeclarations: [declaration] }], thinkingConfig: { includeThoughts: true } },
      });
      const chunks = await collect(await chat.sendMessageStream({ message: 'Call get_weather for Oslo' }));
      const [call] = chunks.flatMap(({ functionCalls }) => functionCalls ?? []);
      expect(call).toMatchObject({ name: 'get_weather', args: { city: expect.any(String) as string } });
      const reply = await chat.sendMessage({
        message: createPartFromFunctionResponse(call?.id ?? '', 'get_weather', { output: '4 degrees' }),
      });
      expect(reply.text?.length).toBeGreaterThan(0);
      const again = await collect(await chat.sendMessageStream({ message: 'Say it again' }));
      expect(again.map(({ text }) => text ?? '').join('').length).toBeGreaterThan(0);
      // What was thought came back where it belongs: the upstream checks every signature.
      expect(upstream.violations).toEqual([]);
      expect(chat.getHistory(true)).toHaveLength(chat.getHistory(false).length);
    },
  );

  test('must call when told to', async () => {
    const answer = await client.models.generateContent({
      model,
      contents: 'Say hello',
      config: {
        tools: [{ functionDeclarations: [weather] }],
        toolConfig: { functionCallingConfig: { mode: FunctionCallingConfigMode.ANY, allowedFunctionNames: ['get_weather'] } },
      },
    });
    expect(answer.functionCalls?.map(({ name }) => name)).toEqual(['get_weather']);
  });

  test('obeys a schema in either language', async () => {
    const config = { responseMimeType: 'application/json' };
    const responseSchema = {
      type: Type.OBJECT,
      properties: { city: { type: Type.STRING }, degrees: { type: Type.INTEGER } },
      required: ['city', 'degrees'],
    };
    const responseJsonSchema = {
      type: 'object',
      properties: { city: { type: 'string' }, degrees: { type: 'integer' } },
      required: ['city', 'degrees'],
    };
    for (const schema of [{ responseSchema }, { responseJsonSchema }]) {
      const answer = await client.models.generateContent({ model, contents: 'Weather', config: { ...config, ...schema } });
      expect(JSON.parse(answer.text ?? '')).toEqual({
        city: expect.any(String) as string,
        degrees: expect.any(Number) as number,
      });
    }
  });

  test('counts tokens', async () => {
    const { totalTokens } = await client.models.countTokens({ model, contents: 'Say hello to the sea' });
    expect(totalTokens).toBeGreaterThan(0);
  });

  test('gets the model', async () => {
    expect(await client.models.get({ model })).toMatchObject({
      name: `models/${model}`,
      supportedActions: expect.arrayContaining(['generateContent']) as string[],
    });
  });
});

describe("Google's own client", () => {
  test('shows thoughts that it asked for', async () => {
    const answer = await client.models.generateContent({
      model: 'google/gemini-3-flash',
      contents: '[[think I wonder]] [[say Hello]]',
      config: { thinkingConfig: { includeThoughts: true } },
    });
    const parts = answer.candidates?.[0]?.content?.parts ?? [];
    expect(parts.filter(({ thought }) => thought).map(({ text }) => text)).toEqual(['I wonder']);
    expect(answer.text).toBe('Hello');
  });

  test('brings signatures back through five sequential rounds of parallel calls', async () => {
    const round = '[[call get_weather {"city":"Oslo"}]] [[call get_weather {"city":"Bergen"}]] [[then]]';
    const chat = client.chats.create({
      model: 'google/gemini-3-flash',
      config: { tools: [{ functionDeclarations: [weather] }], thinkingConfig: { includeThoughts: true } },
    });
    let answer = await chat.sendMessage({ message: `${round.repeat(5)} [[say done]]` });
    let rounds = 0;
    while ((answer.functionCalls ?? []).length > 0) {
      rounds++;
      const responses = (answer.functionCalls ?? []).map(({ id = '', name = '' }) =>
        createPartFromFunctionResponse(id, name, { output: `round ${String(rounds)}` }),
      );
      answer = await chat.sendMessage({ message: responses });
    }
    expect([rounds, answer.text]).toEqual([5, 'done']);
    expect(upstream.violations).toEqual([]);
  });

  test('keeps a streamed chat with calls whole where nothing is translated', async () => {
    const native = await startGeminiModel({ models: ['gemini-3-flash'], takesStreamedHistory: true });
    const passing = await startGateway(
      `{ store: { url: "memory:" }, backends: { google: { type: gemini, api_key: test, base_url: "${native.url}" } } }`,
    );
    try {
      const passed = new GoogleGenAI({ apiKey: 'none needed', httpOptions: { baseUrl: passing.url } });
      const chat = passed.chats.create({
        model: 'google/gemini-3-flash',
        config: { tools: [{ functionDeclarations: [weather] }], thinkingConfig: { includeThoughts: true } },
      });
      const round = '[[think I wonder]] [[call get_weather {"city":"Oslo"}]] [[call get_weather {"city":"Bergen"}]] [[then]]';
      let answer = await collect(await chat.sendMessageStream({ message: `${round.repeat(3)} [[say done]]` }));
      let rounds = 0;
      for (let calls = callsOf(answer); calls.length > 0; calls = callsOf(answer)) {
        rounds++;
        const message = calls.map(({ id = '', name = '' }) => createPartFromFunctionResponse(id, name, { output: 'fine' }));
        answer = await collect(await chat.sendMessageStream({ message }));
      }
      expect([rounds, answer.map(({ text }) => text ?? '').join('')]).toEqual([3, 'done']);
      expect(native.violations).toEqual([]);
      expect(chat.getHistory(true)).toHaveLength(chat.getHistory(false).length);
      // A translated answer would say the model as the client named it.
      expect(answer.at(-1)?.modelVersion).toBe('gemini-3-flash');
    } finally {
      await passing.close();
      await native.close();
    }
  });

  test('lists models, page by page', async () => {
    const names: string[] = [];
    for await (const { name } of await client.models.list({ config: { pageSize: 3 } })) names.push(name ?? '');
    expect(names).toContain('models/google/gemini-3-flash');
    expect(names).toContain('models/rehearsal/default');
    expect(new Set(names).size).toBe(names.length);
    expect(names.length).toBeGreaterThan(3);
  });

  test('gets errors in its own form', async () => {
    const failures = await Promise.all(
      [
        client.models.generateContent({ model: 'nobody/nothing', contents: 'Hello' }),
        client.models.generateContent({ model: 'rehearsal/default', contents: 'Hello', config: { candidateCount: 2 } }),
        client.models.get({ model: 'nobody/nothing' }),
        client.models.generateContentStream({ model: 'rehearsal/default', contents: 'Hello', config: { temperature: 9 } }),
      ].map((asked) => asked.then(() => null).catch((thrown: unknown) => thrown)),
    );
    expect(failures.map((failure) => (failure instanceof ApiError ? failure.status : failure))).toEqual([404, 400, 404, 400]);
    expect(String(failures[1])).toContain('generationConfig.candidateCount');
  });

  test('sees a stream break', async () => {
    const stream = await client.models.generateContentStream({ model: 'rehearsal/late-failure', contents: 'Hello' });
    const failure: unknown = await collect(stream).catch((thrown: unknown) => thrown);
    expect(failure).toBeInstanceOf(ApiError);
  });

  test('works under /v1 too, as its third version asks', async () => {
    const third = new GoogleGenAI({ apiKey: 'x', apiVersion: 'v1', httpOptions: { baseUrl: gateway.url } });
    const answer = await third.models.generateContent({ model: 'rehearsal/default', contents: 'Say hello to the sea' });
    expect(answer.text).toContain('sea');
    const names: string[] = [];
    for await (const { name } of await third.models.list()) names.push(name ?? '');
    expect(names).toContain('models/rehearsal/default');
    expect((await third.models.countTokens({ model: 'rehearsal/default', contents: 'Hello' })).totalTokens).toBeGreaterThan(0);
  });
});
