import { describe, expect, test } from 'vitest';
import { plainRequest } from '../../../test/backend-suite.ts';
import { createTestMarks, tool } from '../../../test/doubles/tap-conversation.ts';
import type { JsonObject } from '../../lib/json.ts';
import type { ModelRequest, ToolChoice } from '../../model/model-request.ts';
import { rewriteRequest } from '../rewrite-request.ts';

const marks = createTestMarks();
const turn = marks.newTurn();
const view = { name: 'view_file', description: 'd' };
const ours = (name: string) => ({ name, description: `does ${name}` });

interface Case {
  readonly request?: Partial<ModelRequest>;
  readonly body?: JsonObject;
  readonly ownTools?: 'keep' | 'drop';
  readonly model?: string;
}

function send({ request = {}, body = {}, ownTools = 'keep', model = 'gemini-3-flash' }: Case): JsonObject {
  const contents = [{ role: 'user', parts: [{ text: marks.writeText(turn, { span: null, block: '', text: 'hi' }) }] }];
  const whole = { contents, tools: [{ functionDeclarations: [view] }], ...body };
  return rewriteRequest(whole, { turn, request: plainRequest(model, 'hi', request), plannedModel: model, ownTools, marks }).body;
}

describe('system text', () => {
  test('is appended to the agent’s own', () => {
    const systemInstruction = { role: 'system', parts: [{ text: 'You are an agent.' }] };
    expect(send({ request: { instructions: 'Be brief.' }, body: { systemInstruction } })['systemInstruction']).toEqual({
      role: 'system',
      parts: [{ text: 'You are an agent.' }, { text: 'Be brief.' }],
    });
  });

  test('stands alone where there is none, and is not there when the client gave none', () => {
    expect(send({ request: { instructions: 'Be brief.' } })['systemInstruction']).toEqual({ parts: [{ text: 'Be brief.' }] });
    expect(send({})).not.toHaveProperty('systemInstruction');
  });

  test('keeps to the spelling of the body', () => {
    const body = send({ request: { instructions: 'Be brief.' }, body: { system_instruction: { parts: [] } } });
    expect(body).toMatchObject({ system_instruction: { parts: [{ text: 'Be brief.' }] } });
    expect(body).not.toHaveProperty('systemInstruction');
  });

  test('goes before the conversation for a model that takes none', () => {
    expect(send({ request: { instructions: 'Be brief.' }, model: 'gemma-3-27b' })['contents']).toEqual([
      { role: 'user', parts: [{ text: 'Be brief.' }, { text: 'hi' }] },
    ]);
  });
});

describe('tools', () => {
  test('of the client join those of the agent in one list', () => {
    const body = send({
      request: { tools: [tool('f')] },
      body: { tools: [{ codeExecution: {} }, { functionDeclarations: [view] }] },
    });
    expect(body['tools']).toEqual([{ codeExecution: {} }, { functionDeclarations: [view, ours('f')] }]);
  });

  test('of the agent go with drop, and its choice with them', () => {
    const body = { toolConfig: { functionCallingConfig: { mode: 'VALIDATED' } } };
    expect(send({ request: { tools: [tool('f')] }, body, ownTools: 'drop' })).toMatchObject({
      tools: [{ functionDeclarations: [ours('f')] }],
      toolConfig: { functionCallingConfig: { mode: 'AUTO' } },
    });
    const bare = send({ body, ownTools: 'drop' });
    expect(bare).not.toHaveProperty('tools');
    expect(bare).not.toHaveProperty('toolConfig');
  });

  test('of the agent stay as they are when the client has none', () => {
    const body = {
      toolConfig: { functionCallingConfig: { mode: 'VALIDATED' } },
      tools: [{ functionDeclarations: [view] }, { urlContext: {} }],
    };
    expect(send({ body })).toMatchObject(body);
  });

  test('get another name where the agent has that one, or Gemini refuses it', () => {
    const body = send({ request: { tools: [tool('view_file'), tool('9-lives')] } });
    expect(body['tools']).toMatchObject([
      {
        functionDeclarations: [
          view,
          { name: expect.stringMatching(/^view_file_\w{10}$/) as string, description: 'does view_file' },
          { name: expect.stringMatching(/^[a-z_][\w-]*_\w{10}$/i) as string, description: 'does 9-lives' },
        ],
      },
    ]);
    const dropped = send({ request: { tools: [tool('view_file')] }, ownTools: 'drop' });
    expect(dropped['tools']).toEqual([{ functionDeclarations: [ours('view_file')] }]);
  });

  test('web search joins functions only where the model can do both', () => {
    const hostedTools = [{ type: 'web_search', settings: { type: 'web_search' }, path: 'tools[0]' }];
    expect(send({ request: { hostedTools } })).toMatchObject({
      tools: [{ functionDeclarations: [view] }, { googleSearch: {} }],
      toolConfig: { includeServerSideToolInvocations: true },
    });
    const own = { tools: [{ functionDeclarations: [view] }, { googleSearch: {} }] };
    expect(send({ request: { hostedTools }, body: own })['tools']).toEqual(own.tools);
    expect(send({ request: { hostedTools }, model: 'gemini-2.5-pro' })['tools']).toEqual([{ functionDeclarations: [view] }]);
  });

  const named = { names: ['f'] } as const;
  test.each<[ToolChoice, 'keep' | 'drop', JsonObject]>([
    [{ type: 'auto' }, 'keep', { mode: 'AUTO' }],
    [{ type: 'required' }, 'drop', { mode: 'ANY' }],
    // The agent's own tools do not pay what the client demands.
    [{ type: 'required' }, 'keep', { mode: 'ANY', allowedFunctionNames: ['f', 'g'] }],
    [{ type: 'required-of', ...named }, 'keep', { mode: 'ANY', allowedFunctionNames: ['f'] }],
    [{ type: 'allowed', ...named }, 'keep', { mode: 'VALIDATED', allowedFunctionNames: ['f', 'view_file'] }],
    [{ type: 'allowed', ...named }, 'drop', { mode: 'VALIDATED', allowedFunctionNames: ['f'] }],
  ])('the choice %o with %s', (toolChoice, ownTools, functionCallingConfig) => {
    const body = {
      toolConfig: { functionCallingConfig: { mode: 'ANY', allowedFunctionNames: ['view_file'] }, retrievalConfig: {} },
    };
    const { toolConfig } = send({ request: { tools: [tool('f'), tool('g')], toolChoice }, ownTools, body });
    expect(toolConfig).toEqual(ownTools === 'drop' ? { functionCallingConfig } : { functionCallingConfig, retrievalConfig: {} });
  });

  test('with the choice none the client’s tools are not offered, the agent’s are', () => {
    const body = { toolConfig: { functionCallingConfig: { mode: 'AUTO' } } };
    const request = { tools: [tool('f')], toolChoice: { type: 'none' } } as const;
    expect(send({ request, body })).toMatchObject({ tools: [{ functionDeclarations: [view] }], ...body });
    expect(send({ request, body, ownTools: 'drop' })).not.toHaveProperty('tools');
  });
});

describe('settings', () => {
  test('what the client did not set stays as the agent wants it', () => {
    const generationConfig = {
      temperature: 0.2,
      stopSequences: ['x'],
      thinkingConfig: { includeThoughts: true, thinkingBudget: 8 },
    };
    expect(send({ body: { generationConfig, safetySettings: [], cachedContent: 'c' } })).toMatchObject({
      generationConfig,
      safetySettings: [],
      cachedContent: 'c',
    });
    const change = { temperature: 1, reasoning: { effort: 'low', summary: null }, maxOutputTokens: 5 };
    expect(send({ request: change, body: { generationConfig } })['generationConfig']).toEqual({
      temperature: 1,
      stopSequences: ['x'],
      thinkingConfig: { includeThoughts: true, thinkingLevel: 'LOW' },
      maxOutputTokens: 5,
    });
  });

  test('a budget takes the place of a level', () => {
    const generation_config = { thinking_config: { thinking_level: 'HIGH' }, max_output_tokens: 9 };
    const request = { reasoning: { effort: 'low', summary: 'auto' }, maxOutputTokens: 5 };
    expect(send({ request, body: { generation_config }, model: 'gemini-2.5-pro' })['generation_config']).toEqual({
      thinking_config: { thinkingBudget: 2048, includeThoughts: true },
      max_output_tokens: 5,
    });
  });

  test('texts that end the answer, the seed, top_k and tokens to think for reach the model too', () => {
    const generationConfig = { stopSequences: ['x'], seed: 3, thinkingConfig: { includeThoughts: true, thinkingLevel: 'HIGH' } };
    const request = { stop: ['END'], seed: 7, topK: 5, thinkingBudget: 1024 };
    expect(send({ request, body: { generationConfig }, model: 'gemini-2.5-pro' })['generationConfig']).toEqual({
      stopSequences: ['END'],
      seed: 7,
      topK: 5,
      thinkingConfig: { includeThoughts: true, thinkingBudget: 1024 },
    });
  });

  test('a JSON format beside the agent’s tools is asked for in words where the model cannot do both', () => {
    const request = { format: { type: 'json-object' } } as const;
    expect(send({ request, model: 'gemini-2.5-pro' })).toMatchObject({
      systemInstruction: { parts: [{ text: expect.stringContaining('JSON object') as string }] },
    });
    expect(send({ request })['generationConfig']).toEqual({ responseMimeType: 'application/json' });
  });

  test('a wrapped request is written where it lies', () => {
    const contents = [{ role: 'user', parts: [{ text: marks.writeText(turn, { span: null, block: '', text: 'hi' }) }] }];
    const body = { model: 'm', project: 'p', request: { contents, tools: [] } };
    const request = plainRequest('gemini-3-flash', 'hi', { instructions: 'Be brief.', tools: [tool('f')] });
    expect(rewriteRequest(body, { turn, request, plannedModel: request.model, ownTools: 'keep', marks }).body).toMatchObject({
      model: 'm',
      project: 'p',
      request: {
        contents: [{ role: 'user', parts: [{ text: 'hi' }] }],
        tools: [{ functionDeclarations: [ours('f')] }],
        systemInstruction: { parts: [{ text: 'Be brief.' }] },
      },
    });
  });
});
