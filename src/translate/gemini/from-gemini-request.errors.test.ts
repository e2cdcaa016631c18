import { expect, test } from 'vitest';
import { errorOf } from '../../../test/error-of.ts';
import { fromGeminiRequest } from './from-gemini-request.ts';

const hello = { role: 'user', parts: [{ text: 'Hello' }] };
const call = { role: 'model', parts: [{ functionCall: { name: 'f', id: 'a', args: {} } }] };
const answer = (functionResponse: unknown): object => ({
  contents: [hello, call, { role: 'user', parts: [{ functionResponse }] }],
});
const parts = (...list: unknown[]): object => ({ contents: [{ parts: list }] });
const config = (generationConfig: object): object => ({ contents: [hello], generationConfig });
const tools = (...list: unknown[]): object => ({ contents: [hello], tools: list });
const declared = (...functionDeclarations: unknown[]): object => tools({ functionDeclarations });
const choice = (functionCallingConfig: object): object => ({
  ...declared({ name: 'f' }),
  toolConfig: { functionCallingConfig },
});

/** A wrong body, the field that must be named, and the code. */
const wrong: readonly (readonly [body: unknown, param: string, code: string])[] = [
  [[], 'body', 'invalid_type'],
  ['hello', 'body', 'invalid_type'],
  [{}, 'contents', 'missing_required_parameter'],
  [{ contents: null }, 'contents', 'missing_required_parameter'],
  [{ contents: 1 }, 'contents', 'invalid_type'],
  [{ contents: [] }, 'contents', 'empty_array'],
  [{ contents: [1] }, 'contents[0]', 'invalid_type'],
  [{ contents: [{ role: 'assistant', parts: [] }] }, 'contents[0].role', 'invalid_value'],
  [{ contents: [{ role: 1, parts: [] }] }, 'contents[0].role', 'invalid_type'],
  [{ contents: [{ parts: 1 }] }, 'contents[0].parts', 'invalid_type'],
  [parts({}), 'contents[0].parts[0].text', 'missing_required_parameter'],
  [parts({ text: 1 }), 'contents[0].parts[0].text', 'invalid_type'],
  [parts({ inlineData: {} }), 'contents[0].parts[0].inlineData.mimeType', 'missing_required_parameter'],
  [parts({ inlineData: { mimeType: 'png', data: 'aGVs' } }), 'contents[0].parts[0].inlineData.mimeType', 'invalid_value'],
  [parts({ inlineData: { mimeType: 'image/png' } }), 'contents[0].parts[0].inlineData.data', 'missing_required_parameter'],
  [parts({ inlineData: { mimeType: 'image/png', data: '' } }), 'contents[0].parts[0].inlineData.data', 'string_below_min_length'],
  [parts({ inlineData: { mimeType: 'image/png', data: 'a b' } }), 'contents[0].parts[0].inlineData.data', 'invalid_value'],
  [parts({ inline_data: { mime_type: 'image/png', data: 1 } }), 'contents[0].parts[0].inline_data.data', 'invalid_type'],
  [parts({ fileData: { fileUri: 'gs://bucket/a.png' } }), 'contents[0].parts[0].fileData.fileUri', 'invalid_value'],
  [parts({ file_data: { file_uri: 'files/a' } }), 'contents[0].parts[0].file_data.file_uri', 'invalid_value'],
  [{ contents: [hello, call] }, 'contents[1].parts[0].functionCall', 'invalid_request_error'],
  [answer({ response: {} }), 'contents[2].parts[0].functionResponse.name', 'missing_required_parameter'],
  [answer({ name: 'g', response: {} }), 'contents[2].parts[0].functionResponse.name', 'invalid_request_error'],
  [answer({ name: 'f', response: 'ok' }), 'contents[2].parts[0].functionResponse.response', 'invalid_type'],
  [answer({ name: 'f', parts: [{}] }), 'contents[2].parts[0].functionResponse.parts[0].inlineData', 'missing_required_parameter'],
  [answer('ok'), 'contents[2].parts[0].functionResponse', 'invalid_type'],
  [parts({ functionResponse: { name: 'f' } }), 'contents[0].parts[0].functionResponse.name', 'invalid_request_error'],
  [
    { contents: [hello, { role: 'model', parts: [{ functionCall: {} }] }] },
    'contents[1].parts[0].functionCall.name',
    'missing_required_parameter',
  ],
  [
    { contents: [hello, { role: 'model', parts: [{ function_call: { name: 'f', args: [] } }] }] },
    'contents[1].parts[0].function_call.args',
    'invalid_type',
  ],
  [
    { contents: [hello, { role: 'model', parts: [{ text: 'a', thoughtSignature: 1 }] }] },
    'contents[1].parts[0].thoughtSignature',
    'invalid_type',
  ],
  [{ contents: [hello], systemInstruction: 1 }, 'systemInstruction', 'invalid_type'],
  [{ contents: [hello], systemInstruction: { parts: [{ text: 1 }] } }, 'systemInstruction.parts[0].text', 'invalid_type'],
  [{ contents: [hello], safetySettings: [1] }, 'safetySettings[0]', 'invalid_type'],
  [{ contents: [hello], serviceTier: 'fast' }, 'serviceTier', 'invalid_value'],
  [config({ candidateCount: 2 }), 'generationConfig.candidateCount', 'unsupported_value'],
  [config({ maxOutputTokens: 0 }), 'generationConfig.maxOutputTokens', 'integer_below_min_value'],
  [config({ max_output_tokens: 1.5 }), 'generationConfig.max_output_tokens', 'invalid_type'],
  [config({ temperature: 2.5 }), 'generationConfig.temperature', 'decimal_above_max_value'],
  [config({ topP: '1' }), 'generationConfig.topP', 'invalid_type'],
  [config({ topK: -1 }), 'generationConfig.topK', 'integer_below_min_value'],
  [config({ seed: 2 ** 31 }), 'generationConfig.seed', 'integer_above_max_value'],
  [config({ stopSequences: ['a', 1] }), 'generationConfig.stopSequences[1]', 'invalid_type'],
  [config({ logprobs: 21 }), 'generationConfig.logprobs', 'integer_above_max_value'],
  [config({ responseMimeType: 'text/html' }), 'generationConfig.responseMimeType', 'invalid_value'],
  [config({ responseSchema: 'x' }), 'generationConfig.responseSchema', 'invalid_type'],
  [
    config({ responseSchema: { type: 'OBJECT', properties: { a: 1 } } }),
    'generationConfig.responseSchema.properties.a',
    'invalid_type',
  ],
  [config({ responseSchema: { type: 'ARRAY', items: [] } }), 'generationConfig.responseSchema.items', 'invalid_type'],
  [config({ responseSchema: { type: 'ARRAY', minItems: 'x' } }), 'generationConfig.responseSchema.minItems', 'invalid_type'],
  [
    config({ responseSchema: { type: 'OBJECT' }, responseJsonSchema: { type: 'object' } }),
    'generationConfig.responseJsonSchema',
    'mutually_exclusive_parameters',
  ],
  [config({ thinkingConfig: { thinkingLevel: 'huge' } }), 'generationConfig.thinkingConfig.thinkingLevel', 'invalid_value'],
  [
    config({ thinkingConfig: { thinkingBudget: -2 } }),
    'generationConfig.thinkingConfig.thinkingBudget',
    'integer_below_min_value',
  ],
  [
    config({ thinkingConfig: { thinkingBudget: 5, thinkingLevel: 'low' } }),
    'generationConfig.thinkingConfig.thinkingBudget',
    'mutually_exclusive_parameters',
  ],
  [config({ mediaResolution: 'LOW' }), 'generationConfig.mediaResolution', 'invalid_value'],
  [tools(1), 'tools[0]', 'invalid_type'],
  [declared({}), 'tools[0].functionDeclarations[0].name', 'missing_required_parameter'],
  [declared({ name: '1f' }), 'tools[0].functionDeclarations[0].name', 'invalid_value'],
  [declared({ name: 'f' }, { name: 'f' }), 'tools[0].functionDeclarations[1].name', 'invalid_value'],
  [
    declared({ name: 'f', parameters: { type: 'STRING' } }),
    'tools[0].functionDeclarations[0].parameters',
    'invalid_function_parameters',
  ],
  [
    declared({ name: 'f', parameters: {}, parameters_json_schema: {} }),
    'tools[0].functionDeclarations[0].parameters_json_schema',
    'mutually_exclusive_parameters',
  ],
  [choice({ mode: 'SOME' }), 'toolConfig.functionCallingConfig.mode', 'invalid_value'],
  [
    choice({ mode: 'ANY', allowedFunctionNames: ['g'] }),
    'toolConfig.functionCallingConfig.allowedFunctionNames[0]',
    'invalid_value',
  ],
  [
    choice({ mode: 'AUTO', allowedFunctionNames: ['f'] }),
    'toolConfig.functionCallingConfig.allowedFunctionNames',
    'invalid_value',
  ],
  [
    { contents: [hello], tool_config: { function_calling_config: { mode: 'any' } } },
    'tool_config.function_calling_config.mode',
    'invalid_value',
  ],
];

test.each(wrong)('%j names %s', (body, param, code) => {
  const error = errorOf(() => fromGeminiRequest(body, { model: 'gemini/x', stream: false }));
  expect([error.param, error.code]).toEqual([param, code]);
  expect(error.status).toBe(400);
});
