import Anthropic from '@anthropic-ai/sdk';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { startGateway, type StartedGateway } from '../../doubles/start-gateway.ts';

let gateway: StartedGateway;
let client: Anthropic;

beforeAll(async () => {
  gateway = await startGateway();
  client = new Anthropic({ baseURL: gateway.url, apiKey: 'none needed', maxRetries: 0 });
});

afterAll(() => gateway.close());

const base = { model: 'rehearsal/default', max_tokens: 1000 } as const;
const weather: Anthropic.Tool = {
  name: 'get_weather',
  description: 'Weather of a city',
  input_schema: { type: 'object', properties: { city: { type: 'string' } }, required: ['city'] },
};

function user(content: Anthropic.MessageParam['content']): Anthropic.MessageParam {
  return { role: 'user', content };
}

function textOf(message: Pick<Anthropic.Message, 'content'>): string {
  return message.content.map((block) => (block.type === 'text' ? block.text : '')).join('');
}

describe('the official client', () => {
  test('creates', async () => {
    const message = await client.messages.create({ ...base, messages: [user('Say hello to the sea')] });
    expect(message).toMatchObject({ type: 'message', role: 'assistant', model: base.model, stop_reason: 'end_turn' });
    expect(message.id).toMatch(/^msg_/);
    expect(textOf(message)).toContain('sea');
    expect(message.usage.output_tokens).toBeGreaterThan(0);
    expect(message._request_id).toMatch(/^req_/);
  });

  test('streams raw events', async () => {
    const stream = await client.messages.create({ ...base, stream: true, messages: [user('Say hello to the sea')] });
    const types: string[] = [];
    for await (const event of stream) if (types.at(-1) !== event.type) types.push(event.type);
    expect(types).toEqual([
      'message_start',
      'content_block_start',
      'content_block_delta',
      'content_block_stop',
      'message_delta',
      'message_stop',
    ]);
  });

  test('puts a stream together to what it gets without one', async () => {
    for (const model of ['default', 'think-late', 'parallel', 'refusal', 'citations', 'split-surrogates', 'empty', 'length']) {
      const request = { ...base, model: `rehearsal/${model}`, tools: [weather], messages: [user('weather in Rome and Oslo')] };
      const streamed = await client.messages.stream(request).finalMessage();
      const whole = await client.messages.create(request);
      // What the client adds by itself.
      const settled = { stop_details: undefined, parsed_output: null, id: 'msg' };
      expect({ ...withoutIds(streamed), ...settled }, model).toEqual({ ...withoutIds(whole), ...settled });
    }
  });

  test('reaches beta features by its beta path', async () => {
    const message = await client.beta.messages.create({ ...base, betas: ['effort-2025-11-24'], messages: [user('Hello')] });
    expect(message.stop_reason).toBe('end_turn');
  });

  test('counts tokens', async () => {
    const { input_tokens } = await client.messages.countTokens({
      model: base.model,
      system: 'Be brief.',
      tools: [weather],
      messages: [user('Hello there')],
    });
    expect(input_tokens).toBeGreaterThan(5);
  });

  test('gets an answer of a given form', async () => {
    const schema = {
      type: 'object',
      properties: { city: { type: 'string' } },
      required: ['city'],
      additionalProperties: false,
    };
    const message = await client.messages.create({
      ...base,
      output_config: { format: { type: 'json_schema', schema } },
      messages: [user('Name a city')],
    });
    expect(Object.keys(JSON.parse(textOf(message)) as object)).toEqual(['city']);
  });
});

/** Sealed state and call ids differ each time. */
function withoutIds(message: Anthropic.Message): object {
  const content = message.content.map((block) => ({
    ...block,
    ...('signature' in block && { signature: '' }),
    ...('id' in block && { id: '' }),
    ...('data' in block && { data: '' }),
    ...('tool_use_id' in block && { tool_use_id: '' }),
  }));
  return { ...message, content };
}

describe('thinking', () => {
  test('is shown, signed, and taken back', async () => {
    const asked = { ...base, max_tokens: 4000, thinking: { type: 'enabled', budget_tokens: 2048 } } as const;
    const first = await client.messages.stream({ ...asked, messages: [user('Think about the sea')] }).finalMessage();
    const [thinking, text] = first.content;
    if (thinking?.type !== 'thinking') throw new Error(`no thinking: ${JSON.stringify(first.content)}`);
    expect(thinking.thinking).not.toBe('');
    expect(thinking.signature).toMatch(/^antiphon\.v1\./);
    expect(text?.type).toBe('text');
    const { response } = await client.messages
      .create({ ...asked, messages: [user('Think about the sea'), { role: 'assistant', content: first.content }, user('And?')] })
      .withResponse();
    expect(response.headers.get('antiphon-losses') ?? '').not.toContain('messages[');
  });

  test('is redacted where the client wants none to see, and taken back too', async () => {
    const asked = { ...base, thinking: { type: 'adaptive', display: 'omitted' } } as const;
    const first = await client.messages.create({ ...asked, messages: [user('Think about the sea')] });
    expect(first.content.map(({ type }) => type)).toEqual(['redacted_thinking', 'text']);
    const second = await client.messages.create({
      ...asked,
      messages: [user('Think about the sea'), { role: 'assistant', content: first.content }, user('And the land?')],
    });
    expect(second.stop_reason).toBe('end_turn');
  });

  test('of another server is left out with a loss, never refused', async () => {
    const foreign = { type: 'thinking', thinking: 'Hm.', signature: 'EqQBCgIYAhIM' } as const;
    const { data, response } = await client.messages
      .create({
        ...base,
        messages: [user('Hello'), { role: 'assistant', content: [foreign, { type: 'text', text: 'Hi' }] }, user('And?')],
      })
      .withResponse();
    expect(data.stop_reason).toBe('end_turn');
    expect(response.headers.get('antiphon-losses')).toContain('messages[1].content[0].signature');
  });
});

describe('tools', () => {
  test('make a round trip, several calls at once, with one that failed', async () => {
    const question = user("What's the weather in Paris and London, both in parallel?");
    const first = await client.messages.create({ ...base, tools: [weather], messages: [question] });
    const calls = first.content.filter((block) => block.type === 'tool_use');
    expect(first.stop_reason).toBe('tool_use');
    expect(calls.map(({ input }) => input)).toEqual([{ city: 'Paris' }, { city: 'London' }]);
    const results = calls.map(({ id }, at): Anthropic.ToolResultBlockParam => ({
      type: 'tool_result',
      tool_use_id: id,
      ...(at === 0 ? { content: [{ type: 'text', text: 'sunny' }] } : { content: 'no such city', is_error: true }),
    }));
    const second = await client.messages.create({
      ...base,
      tools: [weather],
      messages: [question, { role: 'assistant', content: first.content }, user(results.reverse())],
    });
    expect(second.stop_reason).toBe('end_turn');
    expect(textOf(second)).toContain('sunny');
  });

  test.each([
    [{ type: 'any' }, ['tool_use']],
    [{ type: 'tool', name: 'get_weather' }, ['tool_use']],
    [{ type: 'none' }, ['text']],
    [{ type: 'auto', disable_parallel_tool_use: true }, ['tool_use']],
  ] as const)('are called as tool_choice %j says', async (tool_choice, expected) => {
    const message = await client.messages.create({
      ...base,
      tools: [weather],
      tool_choice,
      messages: [user('Weather in Paris and London, in parallel')],
    });
    const types = message.content.map(({ type }) => type);
    expect(tool_choice.type === 'any' || tool_choice.type === 'tool' ? types.slice(0, 1) : types).toEqual(expected);
  });

  test('are run by its tool runner, which learns that there are no message threads', async () => {
    const asked: unknown[] = [];
    const runner = client.beta.messages.toolRunner({
      ...base,
      messages: [{ role: 'user', content: "What's the weather in Paris?" }],
      tools: [
        {
          ...weather,
          type: 'custom',
          run: (input: unknown) => {
            asked.push(input);
            return 'sunny';
          },
          parse: (input: unknown) => input,
        },
      ],
    });
    const final = await runner;
    expect(asked).toEqual([{ city: 'Paris' }]);
    expect(final.stop_reason).toBe('end_turn');
  });
});
