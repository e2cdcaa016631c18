import { describe, expect, test } from 'vitest';
import { plainRequest } from '../../../test/backend-suite.ts';
import type { FunctionTool, HostedTool, ModelRequest } from '../../model/model-request.ts';
import { createResponsesProfile } from './responses-profile.ts';
import { toResponsesRequest } from './to-responses-request.ts';
import { customToolNames } from './to-responses-tools.ts';
import { toTokenCountRequest } from './to-token-count-request.ts';

const openai = 'https://api.openai.com/v1';
const vllm = 'http://127.0.0.1:8000/v1';

function translate(change: Partial<ModelRequest>, baseUrl = openai, model = 'gpt-4o') {
  const { value: body, losses } = toResponsesRequest(plainRequest(model, 'Hi', change), createResponsesProfile(baseUrl));
  return { body, losses: losses.map(({ path, action }) => `${path} ${action}`) };
}

const tool = (name: string, change: Partial<FunctionTool> = {}): FunctionTool => ({
  name,
  description: null,
  parameters: null,
  strict: false,
  path: 'tools[0]',
  ...change,
});
const hosted = (type: string, settings: object = {}): HostedTool => ({ type, settings: { type, ...settings }, path: 'tools[1]' });

describe('tools', () => {
  test('a function says whether it is strict: left out, OpenAI would make it so', () => {
    const parameters = { type: 'object', properties: { a: { type: 'string' } } };
    expect(translate({ tools: [tool('f', { description: 'd', parameters }), tool('g', { strict: true })] }).body.tools).toEqual([
      { type: 'function', name: 'f', description: 'd', parameters, strict: false },
      {
        type: 'function',
        name: 'g',
        parameters: { type: 'object', properties: {}, required: [], additionalProperties: false },
        strict: true,
      },
    ]);
    expect(translate({ tools: [tool('g', { strict: true })] }, vllm).losses).toEqual(['tools[0].strict dropped']);
  });

  test('names that a server would refuse have an alias', () => {
    const [sent] = translate({ tools: [tool('get.weather')] }).body.tools ?? [];
    expect(sent?.['name']).toMatch(/^get_weather_\w{10}$/);
  });

  test('tools of the server are passed on as the client wrote them', () => {
    const settings = { search_context_size: 'low', user_location: null };
    const { body, losses } = translate({ hostedTools: [hosted('web_search', settings), hosted('custom', { name: 'edit' })] });
    expect(body.tools).toEqual([
      { type: 'web_search', ...settings },
      { type: 'custom', name: 'edit' },
    ]);
    expect(losses).toEqual([]);
    expect([
      ...customToolNames(plainRequest('m', '', { hostedTools: [hosted('custom', { name: 'edit' }), hosted('mcp')] })),
    ]).toEqual(['edit']);
  });

  test('what only the web search of Anthropic knows is a loss', () => {
    const settings = { filters: { allowed_domains: ['a.example'] }, max_uses: 8, blocked_domains: ['b.example'] };
    const { body, losses } = translate({ hostedTools: [hosted('web_search', settings)] });
    expect(body.tools).toEqual([{ type: 'web_search', filters: settings.filters }]);
    expect(losses.map((loss) => loss.replace(/^.*\./, ''))).toEqual(['max_uses dropped', 'blocked_domains dropped']);
  });

  test.each(['made_up', 'local_shell', 'apply_patch', 'computer_use_preview', 'tool_search', 'shell'])(
    '%s is not offered',
    (type) => {
      expect(translate({ hostedTools: [hosted(type)] })).toMatchObject({ losses: ['tools[1].type dropped'] });
      expect(translate({ hostedTools: [hosted(type)] }).body).not.toHaveProperty('tools');
    },
  );

  test('a shell in a container of the server is, and servers of open models get functions only', () => {
    expect(translate({ hostedTools: [hosted('shell', { environment: { type: 'container_auto' } })] }).losses).toEqual([]);
    expect(translate({ hostedTools: [hosted('web_search')] }, 'http://127.0.0.1:11434').losses).toEqual([
      'tools[1].type dropped',
    ]);
  });

  test.each([
    [{ type: 'auto' }, undefined],
    [{ type: 'none' }, 'none'],
    [{ type: 'required' }, 'required'],
    [{ type: 'allowed', names: ['f'] }, undefined],
    [
      { type: 'required-of', names: ['f'] },
      { type: 'function', name: 'f' },
    ],
    [{ type: 'required-of', names: ['f', 'g'] }, 'required'],
  ] as [ModelRequest['toolChoice'], unknown][])('the choice %j', (toolChoice, wanted) => {
    const tools = [tool('f'), tool('g')];
    expect(translate({ tools, toolChoice }).body.tool_choice).toEqual(wanted);
    expect(translate({ toolChoice }).body).not.toHaveProperty('tool_choice');
  });

  test('one of several functions, beside tools of the server', () => {
    const toolChoice = { type: 'required-of', names: ['f', 'g'] } as const;
    expect(
      translate({ tools: [tool('f'), tool('g')], hostedTools: [hosted('web_search')], toolChoice }).body.tool_choice,
    ).toEqual({
      type: 'allowed_tools',
      mode: 'required',
      tools: [
        { type: 'function', name: 'f' },
        { type: 'function', name: 'g' },
      ],
    });
  });

  test('parallel calls are the default', () => {
    expect(translate({ tools: [tool('f')], parallelToolCalls: false }).body.parallel_tool_calls).toBe(false);
    expect(translate({ tools: [tool('f')] }).body).not.toHaveProperty('parallel_tool_calls');
  });
});

describe('settings', () => {
  test('formats and verbosity', () => {
    expect(translate({ verbosity: 'low' }).body.text).toEqual({ verbosity: 'low' });
    expect(translate({ format: { type: 'json-object' } }).body.text).toEqual({ format: { type: 'json_object' } });
    const schema = { type: 'object' };
    const format = { type: 'json-schema', name: 'n', description: 'd', schema, strict: true } as const;
    expect(translate({ format, verbosity: 'high' }).body.text).toEqual({
      format: { type: 'json_schema', name: 'n', description: 'd', schema, strict: true },
      verbosity: 'high',
    });
  });

  test('limits, sampling and service', () => {
    const change = {
      maxOutputTokens: 64,
      temperature: 0,
      topP: 0.5,
      serviceTier: 'flex',
      promptCacheKey: 'k',
      safetyIdentifier: 's',
    };
    expect(translate(change).body).toMatchObject({
      ...{ max_output_tokens: 64, temperature: 0, top_p: 0.5 },
      ...{ service_tier: 'flex', prompt_cache_key: 'k', safety_identifier: 's' },
    });
    const long = '0123456789'.repeat(7);
    const { safety_identifier, prompt_cache_key } = translate({ safetyIdentifier: long, promptCacheKey: long }).body;
    // OpenAI refuses more than 64 characters.
    expect([safety_identifier, prompt_cache_key]).toEqual([expect.stringMatching(/^[0-9a-f]{64}$/), safety_identifier]);
    expect(translate({ topLogprobs: 3 }).body).toMatchObject({ top_logprobs: 3, include: ['message.output_text.logprobs'] });
    expect(translate({ topLogprobs: 0 }).body).not.toHaveProperty('top_logprobs');
  });

  test('a limit that the server would refuse is raised', () => {
    const { body, losses } = translate({ maxOutputTokens: 1 });
    expect([body.max_output_tokens, losses]).toEqual([16, ['max_output_tokens approximated']]);
    expect(translate({ maxOutputTokens: 1 }, 'http://127.0.0.1:11434/v1').body.max_output_tokens).toBe(1);
  });

  const foreign = { topK: 5, seed: 7, stop: ['END'], presencePenalty: 0.5, frequencyPenalty: 0.25 };
  const dropped = ['presence_penalty', 'frequency_penalty', 'top_k', 'seed', 'stop'].map((path) => `${path} dropped`);

  test("what OpenAI's Responses API has no word for is a loss", () => {
    expect(translate(foreign).losses).toEqual(dropped);
    expect(translate(foreign, 'https://models.example/v1').losses).toEqual(dropped.slice(2));
  });

  test('except where a server takes it', () => {
    const sent = { top_k: 5, seed: 7, stop: ['END'], presence_penalty: 0.5, frequency_penalty: 0.25 };
    const { body, losses } = translate(foreign, vllm);
    expect(body).toMatchObject(sent);
    expect(losses).toEqual([]);
  });

  const sampling = { temperature: 0.2, topP: 0.5, topLogprobs: 2 };
  const sampled = { temperature: 0.2, top_p: 0.5, top_logprobs: 2 };
  const unsampled = ['temperature dropped', 'top_p dropped', 'top_logprobs dropped'];

  test.each<[string, Partial<ModelRequest>, object, readonly string[], string?]>([
    ['gpt-5-mini', sampling, {}, unsampled],
    ['o4-mini', { temperature: 1, topP: 1 }, { temperature: 1, top_p: 1 }, []],
    ['gpt-5.2', { ...sampling, reasoning: { effort: 'low', summary: null } }, { reasoning: { effort: 'low' } }, unsampled],
    ['gpt-5.2', sampling, sampled, []],
    ['gpt-5-mini', sampling, sampled, [], 'https://models.example/v1'],
    ['gpt-4o', { reasoning: { effort: 'low', summary: 'auto' } }, {}, ['reasoning.effort dropped', 'reasoning.summary dropped']],
    ['gpt-4o', { reasoning: { effort: 'none', summary: null } }, {}, []],
    ['gpt-4o', { reasoning: { effort: null, summary: 'auto', isWish: true } }, {}, []],
    ['gpt-4o', { thinkingBudget: 2048 }, {}, ['thinking_budget dropped']],
    ['gpt-4o', { thinkingBudget: 0 }, {}, []],
    ['gpt-5', { thinkingBudget: 2048 }, { reasoning: { effort: 'low' } }, ['thinking_budget approximated']],
    ['llama', { reasoning: { effort: 'low', summary: null } }, { reasoning: { effort: 'low' } }, [], vllm],
  ])('%s %j: what this model refuses is not sent', (...row) => {
    const [model, change, wanted, losses, baseUrl] = row;
    const { body, losses: lost } = translate(change, baseUrl, model);
    const { temperature, top_p, top_logprobs, reasoning } = body;
    expect(JSON.parse(JSON.stringify({ temperature, top_p, top_logprobs, reasoning }))).toEqual(wanted);
    expect(lost).toEqual(losses);
    if (!('top_logprobs' in wanted)) expect(body.include ?? []).not.toContain('message.output_text.logprobs');
  });

  test('to count tokens only what becomes input is sent', () => {
    const { body } = translate({ tools: [tool('f')], temperature: 1, instructions: 'i', maxOutputTokens: 9 });
    expect(Object.keys(toTokenCountRequest(body)).sort()).toEqual(['input', 'instructions', 'model', 'tools']);
  });
});
