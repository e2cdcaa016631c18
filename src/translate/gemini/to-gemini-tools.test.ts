import { describe, expect, test } from 'vitest';
import { plainRequest } from '../../../test/backend-suite.ts';
import type { FunctionTool, HostedTool, InputItem, ModelRequest } from '../../model/model-request.ts';
import { toGeminiRequest } from './to-gemini-request.ts';

function send(change: Partial<ModelRequest> = {}, model = 'gemini-3-flash') {
  const { value, losses } = toGeminiRequest(plainRequest(model, 'hi', change));
  return { ...value, losses: losses.map(({ path, action }) => `${path} ${action}`) };
}

const weather: FunctionTool = {
  name: 'get_weather',
  description: 'Weather',
  parameters: { type: 'object', properties: { city: { type: 'string' } }, required: ['city'] },
  strict: false,
  path: 'tools[0]',
};
const search: HostedTool = { type: 'web_search_preview', settings: { type: 'web_search_preview' }, path: 'tools[1]' };

describe('tools', () => {
  test('declarations: aliases, never an empty description, no schema without arguments', () => {
    const odd = { ...weather, name: 'mcp/server get-weather!', description: '', parameters: null };
    const empty = {
      ...weather,
      name: 'now',
      description: null,
      parameters: { type: 'object', properties: {}, additionalProperties: false },
    };
    const { tools } = send({ tools: [weather, odd, empty] });
    expect(tools?.[0]?.functionDeclarations).toEqual([
      { name: 'get_weather', description: 'Weather', parametersJsonSchema: weather.parameters },
      { name: expect.stringMatching(/^[a-zA-Z_][\w.:-]{0,63}$/) as string, description: 'The function mcp/server get-weather!.' },
      { name: 'now', description: 'The function now.' },
    ]);
  });

  test.each([
    [{ type: 'none' }, { mode: 'NONE' }],
    [{ type: 'auto' }, { mode: 'AUTO' }],
    [{ type: 'required' }, { mode: 'ANY' }],
    [
      { type: 'allowed', names: ['get_weather'] },
      { mode: 'VALIDATED', allowedFunctionNames: ['get_weather'] },
    ],
    [
      { type: 'required-of', names: ['get_weather'] },
      { mode: 'ANY', allowedFunctionNames: ['get_weather'] },
    ],
  ] as const)('tool choice %j', (toolChoice, expected) => {
    expect(send({ tools: [weather], toolChoice }).toolConfig).toEqual({ functionCallingConfig: expected });
    expect(send({ toolChoice }).toolConfig).toBeUndefined();
  });

  test('a strict tool is validated', () => {
    expect(send({ tools: [{ ...weather, strict: true }] }).toolConfig).toEqual({ functionCallingConfig: { mode: 'VALIDATED' } });
  });

  test('web search: alone everywhere, with functions only on Gemini 3', () => {
    expect(send({ hostedTools: [search, search] }, 'gemini-2.5-flash')).toMatchObject({
      tools: [{ googleSearch: {} }],
      losses: [],
    });
    expect(send({ hostedTools: [search], tools: [weather] }, 'gemini-2.5-flash')).toMatchObject({
      tools: [{ functionDeclarations: [{}] }],
      losses: ['tools[1].type dropped'],
    });
    const both = send({ hostedTools: [search], tools: [weather] });
    expect(both.tools?.map((tool) => Object.keys(tool))).toEqual([['functionDeclarations'], ['googleSearch']]);
    expect(both.toolConfig).toEqual({ functionCallingConfig: { mode: 'VALIDATED' }, includeServerSideToolInvocations: true });
    const vertex = toGeminiRequest(plainRequest('gemini-3-flash', 'hi', { hostedTools: [search], tools: [weather] }), {
      isVertex: true,
    });
    expect(vertex.value.toolConfig).toEqual({ functionCallingConfig: { mode: 'VALIDATED' } });
  });

  test('settings of a web search and other built-in tools are losses at their path', () => {
    const set = {
      ...search,
      settings: { type: 'web_search', search_context_size: 'medium', filters: { allowed_domains: [] }, user_location: null },
    };
    const other = { type: 'code_interpreter', settings: {}, path: 'tools[2]' };
    expect(send({ hostedTools: [set, other] }).losses).toEqual(['tools[1].filters dropped', 'tools[2].type dropped']);
  });

  test('what cannot be served is refused as a value in strict mode', () => {
    const other = { type: 'code_interpreter', settings: {}, path: 'tools[2]' };
    const { losses } = toGeminiRequest(
      plainRequest('gemini-2.5-flash', 'hi', { hostedTools: [search, other], tools: [weather] }),
    );
    expect(losses.map(({ path, code }) => `${path} ${code ?? '-'}`)).toEqual([
      'tools[1].type unsupported_value',
      'tools[2].type unsupported_value',
    ]);
    expect(losses.filter(({ reason }) => reason.endsWith('.'))).toEqual([]);
  });

  test.each([
    [{ type: 'none' }],
    [{ type: 'allowed', names: ['get_weather'] }],
    [{ type: 'required-of', names: ['get_weather'] }],
  ] as const)('the web is not searched when the tool choice is %j', (toolChoice) => {
    const set = { ...search, settings: { type: 'web_search', filters: {} } };
    for (const model of ['gemini-3-flash', 'gemini-2.5-flash']) {
      const both = send({ hostedTools: [set], tools: [weather], toolChoice }, model);
      expect(both.tools).toEqual([{ functionDeclarations: [expect.anything()] }]);
      expect([both.toolConfig?.includeServerSideToolInvocations, both.losses]).toEqual([undefined, []]);
      const alone = send({ hostedTools: [set], toolChoice }, model);
      expect([alone.tools, alone.losses]).toEqual([undefined, []]);
    }
  });

  test('arguments of the history are objects, whatever the client kept', () => {
    const call = (args: string): InputItem[] => [
      { type: 'call', callId: args, name: 'a b', arguments: args, path: 'c' },
      { type: 'call-output', callId: args, name: 'a b', content: [], path: 'o' },
    ];
    const { contents, losses } = send(
      { input: [...call('{"a":1}'), ...call(''), ...call('[1'), ...call('[1]')] },
      'gemini-2.5-flash',
    );
    const calls = contents.flatMap(({ parts }) =>
      parts.flatMap((part) => ('functionCall' in part ? [part.functionCall as { name: string; args: object }] : [])),
    );
    expect(calls.map(({ args }) => args)).toEqual([{ a: 1 }, {}, { arguments: '[1' }, { arguments: '[1]' }]);
    expect(new Set(calls.map(({ name }) => name)).size).toBe(1);
    expect(losses).toEqual(['c.arguments approximated', 'c.arguments approximated', 'input emulated']);
  });
});
