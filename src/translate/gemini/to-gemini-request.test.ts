import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { plainRequest } from '../../../test/backend-suite.ts';
import type { ContentPart, FunctionTool, InputItem, MessageInput, ModelRequest } from '../../model/model-request.ts';
import { toGeminiRequest } from './to-gemini-request.ts';

function send(change: Partial<ModelRequest> = {}, model = 'gemini-3-flash') {
  const { value, losses } = toGeminiRequest(plainRequest(model, 'hi', change));
  return { ...value, losses: losses.map(({ path, action }) => `${path} ${action}`) };
}

function message(role: MessageInput['role'], ...content: readonly (string | ContentPart)[]): InputItem {
  return {
    type: 'message',
    role,
    content: content.map((part) => (typeof part === 'string' ? { type: 'text', text: part, path: 't' } : part)),
    path: role,
  };
}

const weather: FunctionTool = {
  name: 'get_weather',
  description: 'Weather',
  parameters: { type: 'object', properties: { city: { type: 'string' } }, required: ['city'] },
  strict: false,
  path: 'tools[0]',
};

describe('contents and system text', () => {
  test('roles are user and model; system and developer messages become one system text', () => {
    const input = [
      message('developer', 'D1'),
      message('user', 'a'),
      message('user', 'b'),
      message('assistant', 'c'),
      message('system', 'S'),
      message('user', 'd'),
    ];
    expect(send({ instructions: 'I', input })).toEqual({
      systemInstruction: { parts: [{ text: 'I\n\nD1\n\nS' }] },
      contents: [
        { role: 'user', parts: [{ text: 'a' }, { text: 'b' }] },
        { role: 'model', parts: [{ text: 'c' }] },
        { role: 'user', parts: [{ text: 'd' }] },
      ],
      losses: ['system approximated'],
    });
  });

  test('contents are never empty and begin with the user', () => {
    expect(send({ input: [message('system', 'S')] })).toMatchObject({
      contents: [{ role: 'user', parts: [{ text: ' ' }] }],
      losses: ['input emulated'],
    });
    expect(send({ input: [message('assistant', 'c'), message('user', '')] }).contents).toEqual([
      { role: 'user', parts: [{ text: ' ' }] },
      { role: 'model', parts: [{ text: 'c' }] },
    ]);
  });

  test('Gemma has no system text: it goes before the first user text', () => {
    expect(send({ instructions: 'I' }, 'gemma-3-27b-it')).toEqual({
      contents: [{ role: 'user', parts: [{ text: 'I' }, { text: 'hi' }] }],
      losses: [],
    });
  });

  test('images and files: bytes inline, http URLs for Gemini to fetch, the rest is lost', () => {
    const url = (text: string): ContentPart => ({ type: 'image', source: { type: 'url', url: text }, detail: null, path: 'i' });
    const file = (source: Extract<ContentPart, { type: 'file' }>['source'], filename: string | null): ContentPart => ({
      type: 'file',
      source,
      filename,
      path: 'f',
    });
    const parts = [
      { type: 'image', source: { type: 'data', mediaType: 'image/png', base64: 'QQ==' }, detail: 'low', path: 'i' } as const,
      file({ type: 'data', mediaType: 'application/octet-stream', base64: 'QQ==' }, 'a.PDF'),
      file({ type: 'data', mediaType: 'application/json', base64: 'QQ==' }, null),
      ...[
        url('https://x.test/a.webp?b=1'),
        url('https://x.test/a'),
        url('https://youtu.be/x'),
        url('file:///etc/passwd'),
        url('nonsense'),
      ],
      file({ type: 'url', url: 'https://generativelanguage.googleapis.com/v1beta/files/x' }, null),
    ];
    expect(send({ input: [message('user', ...parts)] })).toEqual({
      contents: [
        {
          role: 'user',
          parts: [
            { inlineData: { mimeType: 'image/png', data: 'QQ==' } },
            { inlineData: { mimeType: 'application/pdf', data: 'QQ==' } },
            { inlineData: { mimeType: 'text/plain', data: 'QQ==' } },
            { fileData: { mimeType: 'image/webp', fileUri: 'https://x.test/a.webp?b=1' } },
            { fileData: { mimeType: 'image/jpeg', fileUri: 'https://x.test/a' } },
            { fileData: { mimeType: 'video/mp4', fileUri: 'https://youtu.be/x' } },
            { fileData: { fileUri: 'https://generativelanguage.googleapis.com/v1beta/files/x' } },
          ],
        },
      ],
      losses: ['i dropped', 'i dropped', 'i.detail dropped'],
    });
  });
});

describe('generation config', () => {
  test('every knob has its place', () => {
    const change = {
      maxOutputTokens: 9,
      temperature: 0,
      topP: 0.5,
      presencePenalty: 1,
      frequencyPenalty: -1,
      topLogprobs: 3,
      verbosity: 'low',
      serviceTier: 'flex',
    };
    expect(send({ ...change, promptCacheKey: 'k', safetyIdentifier: 's' })).toMatchObject({
      generationConfig: {
        maxOutputTokens: 9,
        temperature: 0,
        topP: 0.5,
        presencePenalty: 1,
        frequencyPenalty: -1,
        responseLogprobs: true,
        logprobs: 3,
      },
      serviceTier: 'flex',
      losses: ['text.verbosity dropped'],
    });
    expect(send({ topLogprobs: 0 }).generationConfig).toEqual({ responseLogprobs: true });
    expect(send({ serviceTier: 'scale' }).losses).toEqual(['service_tier dropped']);
    expect(send({ verbosity: 'medium', serviceTier: 'auto' })).toEqual({
      contents: [{ role: 'user', parts: [{ text: 'hi' }] }],
      losses: [],
    });
  });

  test('low resolution when every image asks for it', () => {
    const image = (detail: string | null): ContentPart => ({
      type: 'image',
      source: { type: 'data', mediaType: 'image/png', base64: '' },
      detail,
      path: 'i',
    });
    expect(send({ input: [message('user', image('low'), image('low'))] }).generationConfig).toEqual({
      mediaResolution: 'MEDIA_RESOLUTION_LOW',
    });
    expect(send({ input: [message('user', image('low'), image('high'))] })).toMatchObject({ losses: ['i.detail dropped'] });
    const details = (...words: (string | null)[]): string[] => send({ input: [message('user', ...words.map(image))] }).losses;
    expect(details('original')).toEqual(['i.detail dropped']);
    expect(details('low', 'original')).toEqual(['i.detail dropped', 'i.detail dropped']);
    expect(details('auto', 'high', null)).toEqual([]);
  });

  test('JSON output: native, and in words where the model cannot combine it with tools', () => {
    const format = {
      type: 'json-schema',
      name: 'n',
      description: 'D',
      schema: { type: 'object', properties: { a: { const: 1 } } },
      strict: true,
    } as const;
    const schema = { type: 'object', properties: { a: { type: 'integer', enum: [1] } }, description: 'D' };
    const native = { responseMimeType: 'application/json', responseJsonSchema: schema };
    expect(send({ format }).generationConfig).toEqual(native);
    expect(send({ format, tools: [weather] }).generationConfig).toEqual(native);
    expect(send({ format }, 'gemini-2.5-flash').generationConfig).toEqual(native);
    expect(send({ format: { type: 'json-object' } }).generationConfig).toEqual({ responseMimeType: 'application/json' });
    const emulated = send({ format, tools: [weather], instructions: 'I' }, 'gemini-2.5-flash');
    expect(emulated.generationConfig).toBeUndefined();
    expect(emulated.systemInstruction?.parts[0]?.text).toContain('"const":1');
    expect(emulated.losses).toEqual(['text.format emulated']);
  });
});

describe('thinking', () => {
  test.each([
    [
      'gemini-3-flash',
      ['none', 'MINIMAL !'],
      ['minimal', 'MINIMAL'],
      ['low', 'LOW'],
      ['medium', 'MEDIUM'],
      ['high', 'HIGH'],
      ['xhigh', 'HIGH !'],
      ['odd', '- !'],
    ],
    ...[
      'gemini-3-pro',
      'gemini-3.1-pro-preview',
      'gemini-3.7-flash',
      'gemini-3.10-flash',
      'gemini-4-flash',
      'gemini-flash-latest',
      'models/gemini-next',
    ].map((model) => [model, ['none', 'LOW !'], ['minimal', 'LOW !'], ['max', 'HIGH !']] as const),
    ['gemini-3.7-flash-lite', ['none', 'MINIMAL !'], ['minimal', 'MINIMAL']],
    ['gemini-flash-lite-latest', ['minimal', 'MINIMAL']],
    [
      'gemini-2.5-pro',
      ['none', '128 !'],
      ['minimal', '128'],
      ['low', '2048'],
      ['medium', '8192'],
      ['high', '24576'],
      ['xhigh', '24576 !'],
    ],
    ['gemini-2.5-flash', ['none', '0'], ['minimal', '128'], ['odd', '- !']],
    ['gemini-2.5-flash-lite', ['none', '0'], ['minimal', '512']],
    ['gemini-2.5-flash-image', ['high', '- !'], ['none', '-']],
    ['gemini-2.0-flash', ['high', '- !'], ['none', '-']],
  ] as const)('%s', (model, ...efforts) => {
    for (const [effort, expected] of efforts as readonly (readonly [string, string])[]) {
      const { generationConfig, losses } = send({ reasoning: { effort, summary: null } }, model);
      const { thinkingLevel, thinkingBudget } = generationConfig?.thinkingConfig ?? {};
      expect([thinkingLevel, thinkingBudget].filter((one) => one !== undefined).length, 'never both').toBeLessThan(2);
      expect(`${effort} ${thinkingLevel ?? thinkingBudget ?? '-'}${losses.length > 0 ? ' !' : ''}`).toBe(`${effort} ${expected}`);
    }
  });

  test('thoughts are asked for when the client wants summaries, and not of a model that has none', () => {
    expect(send({ reasoning: { effort: null, summary: 'auto' } }).generationConfig).toEqual({
      thinkingConfig: { includeThoughts: true },
    });
    expect(send({ reasoning: { effort: null, summary: 'auto' } }, 'gemini-2.0-flash')).toMatchObject({
      losses: ['reasoning.summary dropped'],
    });
    expect(send().generationConfig).toBeUndefined();
  });
});

test('any history gives alternating roles, no empty content, and a response for every call right behind it', () => {
  const item = fc.oneof(
    fc
      .constantFrom<MessageInput['role']>('user', 'assistant', 'system')
      .chain((role) => fc.string({ maxLength: 3 }).map((text) => [message(role, text)])),
    fc.nat(9).map((id): InputItem[] => [
      { type: 'call', callId: `c${id}`, name: 'f', arguments: '{}', path: 'c' },
      { type: 'call-output', callId: `c${id}`, name: 'f', content: [], path: 'o' },
    ]),
  );
  fc.assert(
    fc.property(fc.array(item), fc.constantFrom('gemini-3-flash', 'gemini-2.5-flash'), (items, model) => {
      const { contents } = send({ input: items.flat() }, model);
      expect(contents[0]?.role).toBe('user');
      contents.forEach(({ role, parts }, at) => {
        expect(parts.length).toBeGreaterThan(0);
        expect(role).toBe(at % 2 === 0 ? 'user' : 'model');
        const calls = parts.filter((part) => 'functionCall' in part).length;
        const responses = (contents[at + 1]?.parts ?? []).filter((part) => 'functionResponse' in part).length;
        if (role === 'model') expect(responses).toBe(calls);
      });
    }),
  );
});
