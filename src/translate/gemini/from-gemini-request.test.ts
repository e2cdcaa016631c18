import { describe, expect, test } from 'vitest';
import { errorOf } from '../../../test/error-of.ts';
import { fromGeminiCount, fromGeminiRequest } from './from-gemini-request.ts';

type Read = ReturnType<typeof fromGeminiRequest>;

function read(body: object): Read {
  return fromGeminiRequest(body, { model: 'gemini/x', stream: false });
}

function itemsOf(contents: unknown): unknown {
  return read({ contents }).request.input;
}

const hello = [{ role: 'user', parts: [{ text: 'Hello' }] }];

describe('contents', () => {
  test('are messages; a missing role is the user', () => {
    expect(
      itemsOf([
        { parts: [{ text: 'a' }, { text: 'b' }] },
        { role: 'model', parts: [{ text: 'c' }] },
        { role: 'user', parts: [{ text: 'd' }] },
      ]),
    ).toEqual([
      {
        type: 'message',
        role: 'user',
        content: [
          { type: 'input_text', text: 'a' },
          { type: 'input_text', text: 'b' },
        ],
      },
      { type: 'message', role: 'assistant', content: [{ type: 'output_text', text: 'c' }] },
      { type: 'message', role: 'user', content: [{ type: 'input_text', text: 'd' }] },
    ]);
  });

  test.each([
    ['a text', 'Hello'],
    ['a list of texts', ['Hello']],
    ['one content without brackets', { role: 'user', parts: { text: 'Hello' } }],
    ['texts as parts', [{ parts: ['Hello'] }]],
  ])('may be %s', (_name, contents) => {
    expect(itemsOf(contents)).toEqual([{ type: 'message', role: 'user', content: [{ type: 'input_text', text: 'Hello' }] }]);
  });

  test('that a client kept chunk by chunk are one message again', () => {
    const chunk = (text: string): object => ({ role: 'model', parts: [{ text }] });
    expect(itemsOf([...hello, chunk('Hel'), chunk(''), chunk('lo')])).toMatchObject([{}, { content: [{ text: 'Hello' }] }]);
  });

  test('with nothing but empty texts are refused, unless there are instructions', () => {
    expect(errorOf(() => itemsOf([{ parts: [{ text: '' }] }])).param).toBe('contents');
    const { request, names } = read({ contents: [{ parts: [{ text: '' }] }], systemInstruction: 'Begin.' });
    expect([request.input.length, names.inputs.length]).toEqual([1, 1]);
  });

  test('hold images and files', () => {
    const parts = [
      { inlineData: { mimeType: 'image/PNG', data: 'aGVsbG8' } },
      { inline_data: { mime_type: 'application/pdf', data: '-_-_', display_name: 'a.pdf' } },
      {
        fileData: { mimeType: 'image/png', fileUri: 'https://example.org/a' },
        mediaResolution: { level: 'MEDIA_RESOLUTION_LOW' },
      },
      { file_data: { mime_type: 'audio/mpeg', file_uri: 'https://example.org/b' } },
      { fileData: { fileUri: 'https://youtu.be/abc' } },
    ];
    expect(itemsOf([{ parts }])).toMatchObject([
      {
        content: [
          { type: 'input_image', image_url: 'data:image/png;base64,aGVsbG8=' },
          { type: 'input_file', file_data: 'data:application/pdf;base64,+/+/', filename: 'a.pdf' },
          { type: 'input_image', image_url: 'https://example.org/a', detail: 'low' },
          { type: 'input_file', file_url: 'https://example.org/b', filename: 'file.mp3' },
          { type: 'input_file', file_url: 'https://youtu.be/abc' },
        ],
      },
    ]);
  });

  test('give every image the resolution of the request, unless it has its own', () => {
    const image = { inlineData: { mimeType: 'image/png', data: 'aGVs' } };
    const own = { ...image, mediaResolution: { level: 'MEDIA_RESOLUTION_HIGH' } };
    const { request } = read({
      contents: [{ parts: [image, own] }],
      generation_config: { media_resolution: 'MEDIA_RESOLUTION_LOW' },
    });
    expect(request.input).toMatchObject([{ content: [{ detail: 'low' }, { detail: 'high' }] }]);
  });

  test('show code that Google ran as text, and lose what nobody else knows, with losses', () => {
    const parts = [
      { text: 'Look:' },
      { executableCode: { language: 'PYTHON', code: 'print(1)' } },
      { codeExecutionResult: { outcome: 'OUTCOME_OK', output: '1' } },
      { toolCall: { id: 'x', toolType: 'GOOGLE_SEARCH_WEB' } },
    ];
    const { request, losses } = read({ contents: [...hello, { role: 'model', parts }] });
    expect(request.input[1]).toMatchObject({
      content: [{ type: 'output_text', text: 'Look:\n```python\nprint(1)\n```\n\n```\n1\n```\n' }],
    });
    expect(losses.map(({ path, action }) => [path, action])).toEqual([
      ['contents[1].parts[1]', 'emulated'],
      ['contents[1].parts[2]', 'emulated'],
      ['contents[1].parts[3]', 'dropped'],
    ]);
  });
});

describe('calls and responses', () => {
  const call = (name: string, id?: string): object => ({
    functionCall: { name, args: { n: name }, ...(id !== undefined && { id }) },
  });
  const response = (name: string, id?: string): object => ({
    functionResponse: { name, response: { r: name }, ...(id !== undefined && { id }) },
  });
  const pairs = (model: object[], user: object[]): unknown[] =>
    read({ contents: [...hello, { role: 'model', parts: model }, { role: 'user', parts: user }] }).request.input.flatMap(
      (item) => ('call_id' in item ? [[item.call_id, 'name' in item ? item.name : item.output]] : []),
    );
  const output = (name: string): object[] => [{ type: 'input_text', text: `{"r":"${name}"}` }];

  test('meet by their ids, whatever the order', () => {
    expect(pairs([call('f', 'a'), call('f', 'b')], [response('f', 'b'), response('f', 'a')])).toEqual([
      ['a', 'f'],
      ['b', 'f'],
      ['b', output('f')],
      ['a', output('f')],
    ]);
  });

  test('meet by name and order where there are no ids; made-up ids tell the place', () => {
    expect(pairs([call('f'), call('g'), call('f')], [response('g'), response('f'), response('f')])).toEqual([
      ['call_1_0', 'f'],
      ['call_1_1', 'g'],
      ['call_1_2', 'f'],
      ['call_1_1', output('g')],
      ['call_1_0', output('f')],
      ['call_1_2', output('f')],
    ]);
  });

  test('meet by name when only the response has an id, as Gemini CLI makes one up', () => {
    expect(pairs([call('f')], [response('f', 'f_123_0')])).toEqual([
      ['call_1_0', 'f'],
      ['call_1_0', output('f')],
    ]);
  });

  test('have ids of their own where the client gives one twice, or a very long one', () => {
    const long = 'x'.repeat(65);
    expect(
      pairs([call('f', 'a'), call('g', 'a'), call('h', long)], [response('f', 'a'), response('g', 'a'), response('h', long)]),
    ).toEqual([
      ['a', 'f'],
      ['call_1_1', 'g'],
      ['call_1_2', 'h'],
      ['a', output('f')],
      ['call_1_1', output('g')],
      ['call_1_2', output('h')],
    ]);
  });

  test('bring images, and say when a tool failed', () => {
    const parts = [
      { functionResponse: { name: 'f', response: {}, parts: [{ inlineData: { mimeType: 'image/png', data: 'aGVs' } }] } },
      { functionResponse: { name: 'g', response: { error: 'no such file' } } },
      { functionResponse: { name: 'h' } },
    ];
    const input = itemsOf([
      ...hello,
      { role: 'model', parts: [call('f'), call('g'), call('h')] },
      { role: 'user', parts },
    ]) as object[];
    expect(input.slice(4)).toEqual([
      {
        type: 'function_call_output',
        call_id: 'call_1_0',
        output: [{ type: 'input_image', image_url: 'data:image/png;base64,aGVs' }],
      },
      {
        type: 'function_call_output',
        call_id: 'call_1_1',
        output: [{ type: 'input_text', text: '{"error":"no such file"}' }],
        is_error: true,
      },
      { type: 'function_call_output', call_id: 'call_1_2', output: [{ type: 'input_text', text: '{}' }] },
    ]);
  });

  test('stand together: what else the user said comes behind the outputs', () => {
    const items = itemsOf([
      ...hello,
      { role: 'model', parts: [call('f')] },
      { role: 'user', parts: [{ text: 'go on' }, response('f')] },
    ]);
    expect((items as { type: string }[]).map(({ type }) => type)).toEqual([
      'message',
      'function_call',
      'function_call_output',
      'message',
    ]);
  });

  test('take the old role for functions', () => {
    expect(itemsOf([...hello, { role: 'model', parts: [call('f')] }, { role: 'function', parts: [response('f')] }])).toHaveLength(
      3,
    );
  });
});

describe('the rest of a request', () => {
  test('is stateless', () => {
    expect(read({ contents: hello }).request).toMatchObject({ model: 'gemini/x', store: false, stream: false });
  });

  test.each([
    ['a text', 'Be brief.\n\nBe kind.'],
    ['a content', { role: 'system', parts: [{ text: 'Be brief.' }, { text: 'Be kind.' }] }],
    ['parts', [{ text: 'Be brief.' }, { text: '' }, 'Be kind.']],
    ['a content with one part', { parts: { text: 'Be brief.\n\nBe kind.' } }],
    ['a part', { text: 'Be brief.\n\nBe kind.' }],
  ])('takes system text as %s', (_name, systemInstruction) => {
    expect(read({ contents: hello, systemInstruction }).request.instructions).toBe('Be brief.\n\nBe kind.');
    expect(read({ contents: hello, system_instruction: systemInstruction }).request.instructions).toBe('Be brief.\n\nBe kind.');
  });

  test('reports what nothing is done with, where the answer is another by it', () => {
    const { losses } = read({
      contents: hello,
      labels: { team: 'a' },
      safetySettings: [
        { category: 'HARM_CATEGORY_HARASSMENT', threshold: 'BLOCK_NONE' },
        { category: 'HARM_CATEGORY_HATE_SPEECH', threshold: 'BLOCK_LOW_AND_ABOVE' },
      ],
      cached_content: 'cachedContents/a',
      message: 'hi',
      generationConfig: { topp: 1 },
      systemInstruction: [{ inlineData: {} }],
    });
    expect(losses.map(({ path, code }) => [path, code]).sort()).toEqual([
      ['cached_content', undefined],
      ['generationConfig.topp', 'unknown_parameter'],
      ['message', 'unknown_parameter'],
      ['safetySettings[1].threshold', undefined],
      ['systemInstruction[0]', undefined],
    ]);
  });

  test('names its model in the body where the URL does not, with and without a prefix', () => {
    const body = (model?: string): object => ({ contents: hello, ...(model !== undefined && { model }), stream: true });
    const readBody = (model?: string): Read['request'] => fromGeminiRequest(body(model), { model: null, stream: null }).request;
    expect(readBody('models/gemini/x')).toMatchObject({ model: 'gemini/x', stream: true });
    expect(readBody('gemini/x').model).toBe('gemini/x');
    expect(readBody().model).toBeNull();
    expect(fromGeminiRequest(body(), { model: null, stream: null }).losses).toEqual([]);
    expect(read(body()).losses.map(({ path }) => path)).toEqual(['stream']);
  });
});

describe('a count', () => {
  test('takes a request inside or outside of its wrapper, and a history without its end', () => {
    const open = {
      contents: [...hello, { role: 'model', parts: [{ functionCall: { name: 'f' } }] }],
      systemInstruction: 'Be brief.',
    };
    const bare = fromGeminiCount(open, 'gemini/x').request;
    expect(bare.input.map(({ type }) => type)).toEqual(['message', 'function_call', 'function_call_output']);
    expect(fromGeminiCount({ generateContentRequest: { model: 'models/other', ...open } }, 'gemini/x').request).toEqual(bare);
    expect(fromGeminiCount({}, 'gemini/x').request.input).toEqual([]);
  });

  test('names the field inside of its wrapper', () => {
    const body = { generateContentRequest: { contents: [{ parts: [{ text: 1 }] }] } };
    expect(errorOf(() => fromGeminiCount(body, 'x')).param).toBe('generateContentRequest.contents[0].parts[0].text');
  });
});
