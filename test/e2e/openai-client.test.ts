import OpenAI from 'openai';
import type { ResponseInput, ResponseInputItem, Tool } from 'openai/resources/responses/responses';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { startGateway, type StartedGateway } from '../doubles/start-gateway.ts';

let gateway: StartedGateway;
let client: OpenAI;

beforeAll(async () => {
  gateway = await startGateway('store: { url: "sqlite:./e2e.db" }');
  client = new OpenAI({ baseURL: `${gateway.url}/v1`, apiKey: 'none needed', maxRetries: 0 });
});

afterAll(() => gateway.close());

const model = 'rehearsal/default';
const weather: Tool = {
  type: 'function',
  name: 'get_weather',
  description: 'Weather of a city',
  strict: true,
  parameters: { type: 'object', properties: { city: { type: 'string' } }, required: ['city'], additionalProperties: false },
};

describe('the official client', () => {
  test('creates', async () => {
    const response = await client.responses.create({ model, input: 'Say hello to the sea' });
    expect(response).toMatchObject({ object: 'response', status: 'completed', model, error: null });
    expect(response.output_text).toContain('sea');
    expect(response.usage?.total_tokens).toBeGreaterThan(0);
  });

  test('streams raw events', async () => {
    const stream = await client.responses.create({ model, input: 'Say hello to the sea', stream: true });
    let text = '';
    let last = '';
    for await (const event of stream) {
      if (event.type === 'response.output_text.delta') text += event.delta;
      last = event.type;
    }
    expect(text).toContain('sea');
    expect(last).toBe('response.completed');
  });

  test('streams through its strict helper: text, thinking, calls, refusals, citations', async () => {
    const models = [
      'default',
      'think-late',
      'parallel',
      'refusal',
      'citations',
      'split-surrogates',
      'long',
      'empty',
      'no-usage',
      'length',
      'late-failure',
      'cut',
    ];
    const seen: string[] = [];
    for (const name of models) {
      const stream = client.responses.stream({
        model: `rehearsal/${name}`,
        input: 'Call get_weather for Oslo',
        tools: [weather],
        reasoning: { effort: 'low', summary: 'auto' },
      });
      const final = await stream.finalResponse();
      seen.push(`${name}: ${final.status ?? 'none'}`);
      expect(final.output.every(({ id }) => Boolean(id))).toBe(true);
    }
    console.log(`responses.stream(): 0 bad / ${String(seen.length)} tried`);
    expect(seen.filter((line) => !line.endsWith('completed'))).toEqual([
      'length: incomplete',
      'late-failure: failed',
      'cut: failed',
    ]);
  });

  test('parses structured output', async () => {
    const schema = {
      type: 'object',
      properties: { city: { type: 'string' }, degrees: { type: 'integer' } },
      required: ['city', 'degrees'],
      additionalProperties: false,
    };
    const response = await client.responses.parse({
      model,
      input: 'Oslo please',
      text: { format: { type: 'json_schema', name: 'weather', strict: true, schema } },
    });
    expect(JSON.parse(response.output_text)).toEqual({
      city: expect.any(String) as string,
      degrees: expect.any(Number) as number,
    });
  });

  test('retrieves, replays, lists input items, deletes', async () => {
    const input: ResponseInput = [
      { role: 'developer', content: 'Be brief' },
      { role: 'user', content: 'One' },
    ];
    const created = await client.responses.create({ model, input, metadata: { a: 'b' } });
    expect(await client.responses.retrieve(created.id)).toMatchObject({
      id: created.id,
      output_text: created.output_text,
      metadata: { a: 'b' },
    });
    const events: number[] = [];
    for await (const event of await client.responses.retrieve(created.id, { stream: true, starting_after: 3 }))
      events.push(event.sequence_number);
    expect(events[0]).toBe(4);
    const items: (string | undefined)[] = [];
    for await (const item of client.responses.inputItems.list(created.id, { limit: 1, order: 'asc' })) items.push(item.type);
    expect(items).toEqual(['message', 'message']);
    await client.responses.delete(created.id);
    await expect(client.responses.retrieve(created.id)).rejects.toMatchObject({ status: 404 });
    await expect(client.responses.delete(created.id)).rejects.toMatchObject({ status: 404 });
  });

  test('counts input tokens, lists models, and is told what cannot be cancelled', async () => {
    const counted = await client.responses.inputTokens.count({ model, input: 'one two three' });
    expect(counted).toMatchObject({ object: 'response.input_tokens' });
    expect(counted.input_tokens).toBeGreaterThan(2);
    const models: string[] = [];
    for await (const { id } of client.models.list()) models.push(id);
    expect(models).toContain(model);
    expect(await client.models.retrieve(model)).toMatchObject({ id: model, object: 'model' });
    const { id } = await client.responses.create({ model, input: 'One' });
    await expect(client.responses.cancel(id)).rejects.toMatchObject({ status: 400 });
    await expect(client.responses.cancel('resp_unknown')).rejects.toMatchObject({ status: 404 });
  });
});

describe('a tool round trip', () => {
  const ask = 'Call get_weather for Oslo';
  const answersOf = (output: OpenAI.Responses.Response['output']): ResponseInputItem[] =>
    output.flatMap((item) =>
      item.type === 'function_call'
        ? [{ type: 'function_call_output' as const, call_id: item.call_id, output: 'minus 4 degrees' }]
        : [],
    );

  test('by previous_response_id', async () => {
    const first = await client.responses.create({ model, input: ask, tools: [weather], reasoning: { effort: 'low' } });
    const call = first.output.find((item) => item.type === 'function_call');
    expect(JSON.parse(call?.arguments ?? '')).toEqual({ city: 'Oslo' });
    const second = await client.responses.create({
      model,
      previous_response_id: first.id,
      input: answersOf(first.output),
      tools: [weather],
    });
    expect(second.output_text).toContain('minus 4 degrees');
    expect(second.previous_response_id).toBe(first.id);
    const third = await client.responses.create({ model, previous_response_id: second.id, input: 'And now?' });
    expect(third.status).toBe('completed');
  });

  test('by full history, the output given back verbatim', async () => {
    const first = await client.responses.create({ model, input: ask, tools: [weather] });
    const input: ResponseInput = [{ role: 'user', content: ask }, ...(first.output as ResponseInput), ...answersOf(first.output)];
    expect((await client.responses.create({ model, input, tools: [weather] })).output_text).toContain('minus 4 degrees');
  });

  test('without a store, with encrypted reasoning', async () => {
    const settings = {
      model,
      store: false,
      include: ['reasoning.encrypted_content' as const],
      tools: [weather],
      reasoning: { effort: 'low' as const },
    };
    const first = await client.responses.create({ ...settings, input: ask });
    const reasoning = first.output.find((item) => item.type === 'reasoning');
    expect(reasoning?.encrypted_content).toContain('antiphon.v1.');
    await expect(client.responses.retrieve(first.id)).rejects.toMatchObject({ status: 404 });
    const input: ResponseInput = [{ role: 'user', content: ask }, ...(first.output as ResponseInput), ...answersOf(first.output)];
    const second = await client.responses.create({ ...settings, input });
    expect(second.output_text).toContain('minus 4 degrees');
    const altered = input.map((item) =>
      'encrypted_content' in item && item.encrypted_content
        ? { ...item, encrypted_content: `${item.encrypted_content.slice(0, -2)}AA` }
        : item,
    );
    await expect(client.responses.create({ ...settings, input: altered })).rejects.toMatchObject({
      status: 400,
      code: 'invalid_encrypted_content',
    });
  });
});
