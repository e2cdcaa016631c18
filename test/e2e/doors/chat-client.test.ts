import OpenAI, { APIError } from 'openai';
import type { ChatCompletionFunctionTool, ChatCompletionMessageParam } from 'openai/resources/chat/completions';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { startGateway, type StartedGateway } from '../../doubles/start-gateway.ts';

let gateway: StartedGateway;
let client: OpenAI;

beforeAll(async () => {
  gateway = await startGateway();
  client = new OpenAI({ baseURL: `${gateway.url}/v1`, apiKey: 'none needed', maxRetries: 0 });
});

afterAll(() => gateway.close());

const model = 'rehearsal/default';

function ask(content: string): ChatCompletionMessageParam[] {
  return [{ role: 'user', content }];
}

const weather: ChatCompletionFunctionTool = {
  type: 'function',
  function: {
    name: 'get_weather',
    description: 'Weather of a city',
    strict: true,
    parameters: { type: 'object', properties: { city: { type: 'string' } }, required: ['city'], additionalProperties: false },
  },
};

describe('the official client, in chat', () => {
  test('creates', async () => {
    const completion = await client.chat.completions.create({ model, messages: ask('Say hello to the sea') });
    expect(completion).toMatchObject({ object: 'chat.completion', model, choices: [{ finish_reason: 'stop', index: 0 }] });
    expect(completion.id).toMatch(/^chatcmpl-/);
    expect(completion.choices[0]?.message.content).toContain('sea');
    expect(completion.usage?.total_tokens).toBeGreaterThan(0);
  });

  test('streams, with the usage last where it was asked for', async () => {
    const stream = await client.chat.completions.create({
      ...{ model, messages: ask('Say hello to the sea'), stream: true },
      stream_options: { include_usage: true },
    });
    let text = '';
    let total = 0;
    for await (const chunk of stream) {
      text += chunk.choices[0]?.delta.content ?? '';
      total = chunk.usage?.total_tokens ?? total;
    }
    expect(text).toContain('sea');
    expect(total).toBeGreaterThan(0);
  });

  test('its stream helper ends with the answer of the unstreamed one', async () => {
    const messages = ask('Weather in Paris and London, in parallel');
    const streamed = await client.chat.completions.stream({ model, messages, tools: [weather] }).finalChatCompletion();
    const whole = await client.chat.completions.create({ model, messages, tools: [weather] });
    const callsOf = (answer: typeof whole): unknown =>
      answer.choices[0]?.message.tool_calls?.map(
        (call) => call.type === 'function' && [call.function.name, call.function.arguments],
      );
    expect(callsOf(whole)).toEqual([
      ['get_weather', '{"city":"Paris"}'],
      ['get_weather', '{"city":"London"}'],
    ]);
    expect(callsOf(streamed)).toEqual(callsOf(whole));
    expect(streamed.choices[0]?.finish_reason).toBe('tool_calls');
  });

  test('runs a tool loop, sealed reasoning and all', async () => {
    const messages = ask('call get_weather for Oslo');
    const asked = await client.chat.completions.create({ model, messages, tools: [weather], reasoning_effort: 'low' });
    const answer = asked.choices[0]?.message;
    expect(answer).toMatchObject({ content: null, reasoning_details: [{ type: 'reasoning.encrypted', format: 'antiphon-v1' }] });
    messages.push(answer as ChatCompletionMessageParam);
    for (const call of answer?.tool_calls ?? [])
      messages.push({ role: 'tool', tool_call_id: call.id, content: 'rain, 4 degrees' });
    const { data, response } = await client.chat.completions.create({ model, messages, tools: [weather] }).withResponse();
    expect(data.choices[0]?.message.content).toContain('rain, 4 degrees');
    expect(response.headers.get('antiphon-losses') ?? '').not.toContain('messages');
  });

  test('shows what was thought', async () => {
    const completion = await client.chat.completions.create({ model, messages: ask('Hi'), reasoning_effort: 'high' });
    expect(completion.choices[0]?.message).toMatchObject({ reasoning_content: expect.stringMatching(/./) as unknown });
  });

  test('parses a json_schema, whole and streamed', async () => {
    const schema = { type: 'object', properties: { city: { type: 'string' } }, required: ['city'], additionalProperties: false };
    const request = {
      ...{ model, messages: ask('Which city?') },
      response_format: { type: 'json_schema' as const, json_schema: { name: 'place', strict: true, schema } },
    };
    const parsed = await client.chat.completions.parse(request);
    expect(JSON.parse(parsed.choices[0]?.message.content ?? '')).toMatchObject({ city: expect.any(String) as unknown });
    const streamed = await client.chat.completions.stream(request).finalContent();
    expect(JSON.parse(streamed ?? '')).toMatchObject({ city: expect.any(String) as unknown });
  });

  test('obeys tool_choice in every form', async () => {
    const other: ChatCompletionFunctionTool = { type: 'function', function: { name: 'getTime' } };
    const named = { type: 'function' as const, function: { name: 'getTime' } };
    const request = { model, messages: ask('call get_weather'), tools: [weather, other] };
    const calledWith = async (tool_choice: OpenAI.ChatCompletionToolChoiceOption): Promise<unknown> => {
      const completion = await client.chat.completions.create({ ...request, tool_choice });
      return completion.choices[0]?.message.tool_calls?.map((call) => call.type === 'function' && call.function.name) ?? [];
    };
    expect(await calledWith('auto')).toEqual(['get_weather']);
    expect(await calledWith('none')).toEqual([]);
    expect(await calledWith('required')).toEqual(['get_weather']);
    expect(await calledWith(named)).toEqual(['getTime']);
    const allowed_tools = { mode: 'required' as const, tools: [named] };
    expect(await calledWith({ type: 'allowed_tools', allowed_tools })).toEqual(['getTime']);
  });

  test('still speaks of functions', async () => {
    const functions = [{ name: 'get_weather', parameters: { type: 'object', properties: { city: { type: 'string' } } } }];
    const messages = ask('call get_weather for Oslo');
    const request = { model, messages, functions };
    const stream = client.chat.completions.stream(request);
    const answer = (await stream.finalChatCompletion()).choices[0];
    expect(answer).toMatchObject({ finish_reason: 'function_call', message: { function_call: { name: 'get_weather' } } });
    messages.push(
      { role: 'assistant', content: null, function_call: { name: 'get_weather', arguments: '{"city":"Oslo"}' } },
      { role: 'function', name: 'get_weather', content: 'rain' },
    );
    const completion = await client.chat.completions.create(request);
    expect(completion.choices[0]?.message.content).toContain('rain');
  });

  test('sends images and files', async () => {
    const completion = await client.chat.completions.create({
      model,
      messages: [
        { role: 'developer', content: 'Be brief' },
        {
          role: 'user',
          content: [
            { type: 'text', text: 'What is this?' },
            { type: 'image_url', image_url: { url: 'data:image/png;base64,aGVsbG8=', detail: 'low' } },
            { type: 'file', file: { filename: 'a.pdf', file_data: 'data:application/pdf;base64,aGVsbG8=' } },
          ],
        },
      ],
    });
    expect(completion.choices[0]?.finish_reason).toBe('stop');
  });

  const hello = ask('Hello there');

  async function choiceOf(id: string, settings: object = {}): Promise<OpenAI.ChatCompletion.Choice> {
    const request = { model: `rehearsal/${id}`, messages: hello, ...settings };
    const [choice] = (await client.chat.completions.create(request)).choices;
    if (choice === undefined) throw new Error('no choice');
    return choice;
  }

  test('gets logprobs', async () => {
    const { logprobs, message } = await choiceOf('default', { logprobs: true, top_logprobs: 2 });
    expect(logprobs?.content?.map(({ token }) => token).join('')).toBe(message.content);
    expect(logprobs?.content?.[0]?.top_logprobs).toHaveLength(2);
  });

  test('gets sources of a search, in their places', async () => {
    const { message } = await choiceOf('citations', { web_search_options: {} });
    const texts = message.annotations?.map(({ url_citation: at }) => message.content?.slice(at.start_index, at.end_index));
    expect(texts?.[0]).toContain('first page');
    expect(texts?.[1]).toContain('second page');
  });

  test('learns how an answer ended', async () => {
    const { finish_reason: reason, message } = await choiceOf('refusal');
    expect([reason, message.content]).toEqual(['stop', null]);
    expect(message.refusal).toMatch(/./);
    expect((await choiceOf('length')).finish_reason).toBe('length');
    expect((await choiceOf('content-filter')).finish_reason).toBe('content_filter');
  });
});

describe('errors reach the official client', () => {
  async function errorOf(promise: Promise<unknown>): Promise<APIError> {
    const thrown: unknown = await promise.then(
      () => undefined,
      (error: unknown) => error,
    );
    if (thrown instanceof APIError) return thrown;
    throw new Error('no APIError', { cause: thrown });
  }

  test('before the answer, as a status', async () => {
    const create = (body: object): Promise<unknown> =>
      client.chat.completions.create({ model, messages: ask('Hi'), ...body } as OpenAI.ChatCompletionCreateParamsNonStreaming);
    expect(await errorOf(create({ n: 2 }))).toMatchObject({ status: 400, code: 'unsupported_value', param: 'n' });
    expect(await errorOf(create({ model: 'rehearsal/nobody' }))).toMatchObject({ status: 404, code: 'model_not_found' });
    expect(await errorOf(create({ model: 'rehearsal/429' }))).toMatchObject({ status: 429, code: 'rate_limit_exceeded' });
    expect(await errorOf(create({ model: 'rehearsal/429', stream: true }))).toMatchObject({ status: 429 });
    const call = { id: 'call_1', type: 'function', function: { name: 'a', arguments: '{}' } };
    const unanswered = [...ask('Hi'), { role: 'assistant', content: null, tool_calls: [call] }];
    expect(await errorOf(create({ messages: unanswered }))).toMatchObject({ status: 400, param: 'messages[1].tool_calls[0].id' });
    const unasked = [...ask('Hi'), { role: 'tool', tool_call_id: 'call_1', content: 'a' }];
    expect(await errorOf(create({ messages: unasked }))).toMatchObject({ status: 400, param: 'messages[1].tool_call_id' });
  });

  test.each(['late-failure', 'cut', 'throws'])('in the middle of a stream: %s', async (id) => {
    const request = { model: `rehearsal/${id}`, messages: ask('Hi') };
    let text = '';
    const read = async (): Promise<void> => {
      for await (const chunk of await client.chat.completions.create({ ...request, stream: true }))
        text += chunk.choices[0]?.delta.content ?? '';
    };
    expect((await errorOf(read())).code).not.toBeNull();
    expect(text).not.toBe('');
    await errorOf(client.chat.completions.stream(request).finalChatCompletion());
  });
});
