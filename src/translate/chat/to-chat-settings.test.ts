import { describe, expect, test } from 'vitest';
import { plainRequest } from '../../../test/backend-suite.ts';
import type { FunctionTool, ModelRequest, ToolChoice } from '../../model/model-request.ts';
import type { ChatRequest } from '../../protocol/chat/request.ts';
import { createChatProfile, type ChatVendor } from './chat-profile.ts';
import { chatToolNames, toChatRequest } from './to-chat-request.ts';

const empty = plainRequest('m', 'Hi', { stream: false });

const tool = (name: string, more: Partial<FunctionTool> = {}): FunctionTool => ({
  name,
  description: null,
  parameters: { type: 'object' },
  strict: false,
  path: 'tools[0]',
  ...more,
});

function translate(vendor: ChatVendor, members: Partial<ModelRequest>): { body: ChatRequest; losses: string[] } {
  const profile = createChatProfile({ baseUrl: 'https://example.com/v1', vendor });
  const { value, losses } = toChatRequest({ ...empty, ...members }, profile);
  return { body: value, losses: losses.map(({ path, action }) => `${path} ${action}`) };
}

describe('settings', () => {
  test('nothing is sent that nobody asked for', () => {
    for (const vendor of [
      'openai',
      'ollama',
      'llamacpp',
      'vllm',
      'openrouter',
      'deepseek',
      'groq',
      'mistral',
      'generic',
    ] as const) {
      expect(translate(vendor, {})).toEqual({ body: { model: 'm', messages: [{ role: 'user', content: 'Hi' }] }, losses: [] });
    }
  });

  test('streams ask for usage', () => {
    expect(translate('generic', { stream: true }).body).toMatchObject({ stream: true, stream_options: { include_usage: true } });
  });

  test('a medium verbosity is what every server does', () => {
    expect(translate('ollama', { verbosity: 'medium' })).toMatchObject({ losses: [] });
    expect(translate('ollama', { verbosity: 'medium' }).body).not.toHaveProperty('verbosity');
    expect(translate('ollama', { verbosity: 'high' }).losses).toEqual(['text.verbosity dropped']);
    expect(translate('openai', { verbosity: 'medium' }).body.verbosity).toBe('medium');
  });

  test('a summary of the thinking is lost where the thinking is never shown', () => {
    const lossesOf = (vendor: ChatVendor, effort: string | null, summary: string | null): string[] =>
      translate(vendor, { reasoning: { effort, summary } }).losses;
    expect(lossesOf('openai', 'low', 'auto')).toEqual(['reasoning.summary dropped']);
    expect(lossesOf('openai', null, 'detailed')).toEqual(['reasoning.summary dropped']);
    expect(lossesOf('openai', 'low', null)).toEqual([]);
    expect(lossesOf('openai', 'none', 'auto')).toEqual([]);
    for (const vendor of ['generic', 'ollama', 'openrouter', 'deepseek'] as const)
      expect(lossesOf(vendor, null, 'auto')).toEqual([]);
  });

  const everything: Partial<ModelRequest> = {
    maxOutputTokens: 10,
    temperature: 0.5,
    topP: 0.9,
    presencePenalty: 1,
    frequencyPenalty: 0,
    topLogprobs: 2,
    verbosity: 'low',
    serviceTier: 'flex',
    promptCacheKey: 'k',
    safetyIdentifier: 's',
  };

  test('OpenAI knows everything', () => {
    const { body, losses } = translate('openai', everything);
    expect(body).toMatchObject({
      max_completion_tokens: 10,
      temperature: 0.5,
      top_p: 0.9,
      presence_penalty: 1,
      frequency_penalty: 0,
      logprobs: true,
      top_logprobs: 2,
      verbosity: 'low',
      service_tier: 'flex',
      prompt_cache_key: 'k',
      safety_identifier: 's',
    });
    expect(losses).toEqual([]);
  });

  test('the common subset: hints vanish, what changes the answer is a loss', () => {
    const { body, losses } = translate('generic', everything);
    expect(body).toEqual({
      model: 'm',
      messages: [{ role: 'user', content: 'Hi' }],
      max_tokens: 10,
      temperature: 0.5,
      top_p: 0.9,
      presence_penalty: 1,
      frequency_penalty: 0,
    });
    expect(losses.sort()).toEqual(['service_tier dropped', 'text.verbosity dropped', 'top_logprobs dropped']);
  });

  test.each([
    ['openai', 'm', 'xhigh', [{ reasoning_effort: 'xhigh' }, []]],
    ['ollama', 'm', 'none', [{ reasoning_effort: 'none' }, []]],
    ['openrouter', 'm', 'high', [{ reasoning: { effort: 'high' } }, []]],
    ['openrouter', 'm', 'max', [{ reasoning: { effort: 'xhigh' } }, ['reasoning.effort approximated']]],
    ['vllm', 'm', 'minimal', [{ reasoning_effort: 'low' }, ['reasoning.effort approximated']]],
    ['vllm', 'm', 'none', [{ chat_template_kwargs: { enable_thinking: false, thinking: false } }, []]],
    [
      'llamacpp',
      'm',
      'high',
      [
        { chat_template_kwargs: { enable_thinking: true, thinking: true, reasoning_effort: 'high' } },
        ['reasoning.effort approximated'],
      ],
    ],
    ['deepseek', 'm', 'none', [{ thinking: { type: 'disabled' } }, []]],
    ['deepseek', 'm', 'high', [{ thinking: { type: 'enabled' } }, ['reasoning.effort approximated']]],
    ['groq', 'openai/gpt-oss-20b', 'medium', [{ reasoning_effort: 'medium' }, []]],
    [
      'groq',
      'qwen/qwen3-32b',
      'high',
      [{ reasoning_effort: 'default', reasoning_format: 'parsed' }, ['reasoning.effort approximated']],
    ],
    ['groq', 'llama-3.3', 'high', [{}, ['reasoning.effort dropped']]],
    ['mistral', 'm', 'low', [{ reasoning_effort: 'high' }, ['reasoning.effort approximated']]],
    ['generic', 'm', 'low', [{}, ['reasoning.effort dropped']]],
  ] as const)('effort at %s (%s): %s', (vendor, model, effort, [fields, expected]) => {
    const { body, losses } = translate(vendor, { model, reasoning: { effort, summary: null } });
    expect(body).toEqual({ model, messages: body.messages, ...fields });
    expect(losses).toEqual(expected);
  });

  test('DeepSeek ignores temperature while it thinks', () => {
    expect(translate('deepseek', { model: 'deepseek-reasoner', temperature: 0 }).losses).toEqual(['temperature dropped']);
    expect(translate('deepseek', { model: 'deepseek-chat', temperature: 0 }).losses).toEqual([]);
  });
});

describe('formats', () => {
  const schema = { type: 'object', properties: { a: { type: 'string' } } };
  const format = { type: 'json-schema', name: 'n', description: null, schema, strict: true } as const;

  test('a schema goes to servers that take it', () => {
    const native = { type: 'json_schema', json_schema: { name: 'n', schema, strict: true } };
    expect(translate('ollama', { format }).body.response_format).toEqual(native);
    expect(translate('groq', { format, model: 'openai/gpt-oss-20b' }).body.response_format).toEqual(native);
  });

  test('elsewhere it stands in the prompt, and that is told', () => {
    for (const vendor of ['deepseek', 'groq'] as const) {
      const { body, losses } = translate(vendor, { format });
      expect(body.response_format).toEqual({ type: 'json_object' });
      expect(body.messages[0]).toEqual({ role: 'system', content: expect.stringContaining(JSON.stringify(schema)) as string });
      expect(losses).toEqual(['text.format emulated']);
    }
  });

  test('DeepSeek hears of JSON where the client does not mention it', () => {
    expect(translate('deepseek', { format: { type: 'json-object' } }).body.messages[0]).toEqual({
      role: 'system',
      content: 'Answer with a JSON object.',
    });
    expect(translate('deepseek', { format: { type: 'json-object' }, instructions: 'Use json.' }).body.messages[0]?.content).toBe(
      'Use json.',
    );
    expect(translate('openai', { format: { type: 'json-object' } }).body).toMatchObject({
      response_format: { type: 'json_object' },
      messages: [{ role: 'user' }],
    });
  });
});

describe('tools', () => {
  const tools = [tool('get', { description: 'Gets.' }), tool('set', { parameters: null, strict: true, path: 'tools[1]' })];
  const choose = (vendor: ChatVendor, toolChoice: ToolChoice): unknown => {
    const { body } = translate(vendor, { tools, toolChoice });
    return [body.tools?.map((one) => one.function.name).join() ?? '', body.tool_choice];
  };

  test('functions, without parameters too; strict where it is enforced', () => {
    expect(translate('openai', { tools }).body.tools).toEqual([
      { type: 'function', function: { name: 'get', description: 'Gets.', parameters: { type: 'object' } } },
      { type: 'function', function: { name: 'set', parameters: { type: 'object', properties: {} }, strict: true } },
    ]);
    const { body, losses } = translate('ollama', { tools });
    expect(body.tools?.[1]?.function).not.toHaveProperty('strict');
    expect(losses).toEqual(['tools[1].strict dropped']);
  });

  test.each([
    ['openai', { type: 'none' }, ['get,set', 'none']],
    ['openai', { type: 'auto' }, ['get,set', undefined]],
    ['openai', { type: 'required' }, ['get,set', 'required']],
    ['openai', { type: 'allowed', names: ['set'] }, ['set', undefined]],
    ['openai', { type: 'required-of', names: ['set'] }, ['set', { type: 'function', function: { name: 'set' } }]],
    ['openai', { type: 'required-of', names: ['set', 'get'] }, ['get,set', 'required']],
    ['llamacpp', { type: 'required-of', names: ['set'] }, ['set', 'required']],
    ['mistral', { type: 'required' }, ['get,set', 'any']],
    ['mistral', { type: 'required-of', names: ['set'] }, ['set', 'any']],
    ['ollama', { type: 'none' }, ['', undefined]],
    ['ollama', { type: 'required-of', names: ['set'] }, ['set', undefined]],
  ] as const)('%s: choice %o', (vendor, choice, expected) => {
    expect(choose(vendor, choice)).toEqual(expected);
  });

  test('parallel_tool_calls only with tools, and only where it says something new', () => {
    expect(translate('openai', { tools, parallelToolCalls: false }).body.parallel_tool_calls).toBe(false);
    expect(translate('openai', { tools }).body).not.toHaveProperty('parallel_tool_calls');
    expect(translate('openai', { parallelToolCalls: false }).body).not.toHaveProperty('parallel_tool_calls');
    expect(translate('llamacpp', { tools }).body.parallel_tool_calls).toBe(true);
    expect(translate('ollama', { tools, parallelToolCalls: false }).body).not.toHaveProperty('parallel_tool_calls');
  });

  test('built-in tools are lost by path', () => {
    const profile = createChatProfile({ baseUrl: 'https://example.com/v1', vendor: 'openai' });
    const { losses } = toChatRequest(
      { ...empty, hostedTools: [{ type: 'web_search', settings: {}, path: 'tools[2]' }] },
      profile,
    );
    expect(losses).toEqual([
      {
        path: 'tools[2].type',
        action: 'dropped',
        code: 'unsupported_value',
        reason: expect.stringMatching(/web_search$/) as string,
      },
    ]);
  });

  test('names outside the alphabet get an alias everywhere in the request', () => {
    const request: ModelRequest = {
      ...empty,
      tools: [tool('files.read')],
      toolChoice: { type: 'required-of', names: ['files.read'] },
      input: [
        { type: 'call', callId: 'c', name: 'files.read', arguments: '{}', path: 'input[0]' },
        { type: 'call-output', callId: 'c', name: 'files.read', content: [], path: 'input[1]' },
      ],
    };
    const profile = createChatProfile({ baseUrl: 'https://api.openai.com/v1' });
    const alias = chatToolNames(request, profile).toAlias('files.read');
    const { value } = toChatRequest(request, profile);
    expect(value).toMatchObject({
      tools: [{ function: { name: alias } }],
      tool_choice: { function: { name: alias } },
      messages: [{ tool_calls: [{ function: { name: alias } }] }, {}],
    });
    expect(alias).toMatch(/^files_read_\w{10}$/);
  });
});
