import { describe, expect, test } from 'vitest';
import { toClientPath } from '../front-request.ts';
import { fromAnthropicMessages } from './from-anthropic-messages.ts';

const cached = { cache_control: { type: 'ephemeral' } };
const png = 'iVBORw0KGgo=';

function read(...messages: [role: string, content: unknown][]): ReturnType<typeof fromAnthropicMessages> {
  return fromAnthropicMessages(messages.map(([role, content]) => ({ role, content })));
}

/** The content of a user's only message. */
function shown(...blocks: object[]): unknown {
  const [item] = read(['user', blocks]).input;
  return item?.type === 'message' ? item.content : item;
}

function call(id: string): object {
  return { type: 'tool_use', id, name: 'f', input: { n: 1 } };
}

function result(id: string, more: object = {}): object {
  return { type: 'tool_result', tool_use_id: id, content: 'ok', ...more };
}

describe('what a user shows', () => {
  test.each<[object, object[]]>([
    [{ type: 'text', text: 'a', ...cached, citations: null }, [{ type: 'input_text', text: 'a' }]],
    [
      { type: 'image', source: { type: 'base64', media_type: 'image/png', data: png } },
      [{ type: 'input_image', image_url: `data:image/png;base64,${png}` }],
    ],
    [
      { type: 'image', source: { type: 'url', url: 'https://x.example/a.png' } },
      [{ type: 'input_image', image_url: 'https://x.example/a.png' }],
    ],
    [
      { type: 'document', title: 'a.pdf', source: { type: 'base64', media_type: 'application/pdf', data: png } },
      [{ type: 'input_file', file_data: `data:application/pdf;base64,${png}`, filename: 'a.pdf' }],
    ],
    [
      { type: 'document', context: 'Old.', source: { type: 'url', url: 'https://x.example/a.pdf' } },
      [
        { type: 'input_text', text: 'Old.' },
        { type: 'input_file', file_url: 'https://x.example/a.pdf' },
      ],
    ],
    [
      { type: 'document', title: 'T', context: 'C', source: { type: 'text', media_type: 'text/plain', data: 'body' } },
      [{ type: 'input_text', text: 'T\n\nC\n\nbody' }],
    ],
    [
      {
        type: 'document',
        source: {
          type: 'content',
          content: [
            { type: 'text', text: 'a' },
            { type: 'image', source: { type: 'url', url: 'https://x.example/a.png' } },
          ],
        },
      },
      [
        { type: 'input_text', text: 'a' },
        { type: 'input_image', image_url: 'https://x.example/a.png' },
      ],
    ],
    [
      { type: 'search_result', title: 'T', source: 'https://x.example', content: [{ type: 'text', text: 'found' }] },
      [{ type: 'input_text', text: 'T\nhttps://x.example\n\nfound' }],
    ],
  ])('%j', (block, parts) => {
    expect(shown(block)).toEqual(parts);
  });

  test('each part has the name of its block', () => {
    const { names } = read([
      'user',
      [
        { type: 'document', context: 'C', source: { type: 'url', url: 'https://x.example/a.pdf' } },
        { type: 'text', text: 'a' },
      ],
    ]);
    const fields = { inputs: names, fields: new Map<string, string>() };
    expect(toClientPath('input[0].content[1].file_url', fields)).toBe('messages[0].content[0].file_url');
    expect(toClientPath('input[0].content[2]', fields)).toBe('messages[0].content[1]');
  });

  test('documents cannot be cited', () => {
    const source = { type: 'text', media_type: 'text/plain', data: 'a' };
    const { losses } = read(['user', [{ type: 'document', source, citations: { enabled: true } }]]);
    expect(losses.map(({ path }) => path)).toEqual(['messages[0].content[0].citations']);
  });
});

describe('what an assistant said', () => {
  test('keeps its order: thinking, text, call', () => {
    const { input, names } = read(
      ['user', 'Hi'],
      [
        'assistant',
        [
          { type: 'thinking', thinking: 'Hm.', signature: 'sealed' },
          { type: 'redacted_thinking', data: 'sealed too' },
          { type: 'text', text: 'One', ...cached },
          { type: 'text', text: 'Two' },
          call('a'),
          { type: 'text', text: 'Three' },
        ],
      ],
      ['user', [result('a')]],
    );
    expect(input.slice(1, -1)).toEqual([
      { type: 'reasoning', summary: [{ type: 'summary_text', text: 'Hm.' }], encrypted_content: 'sealed' },
      { type: 'reasoning', summary: [], encrypted_content: 'sealed too' },
      {
        type: 'message',
        role: 'assistant',
        content: [
          { type: 'output_text', text: 'One' },
          { type: 'output_text', text: 'Two' },
        ],
      },
      { type: 'function_call', call_id: 'a', name: 'f', arguments: '{"n":1}' },
      { type: 'message', role: 'assistant', content: [{ type: 'output_text', text: 'Three' }] },
    ]);
    const fields = { inputs: names, fields: new Map<string, string>() };
    const paths = ['input[1].encrypted_content', 'input[2].encrypted_content', 'input[3].content[1]', 'input[4].arguments'];
    expect(paths.map((path) => toClientPath(path, fields))).toEqual([
      'messages[1].content[0].signature',
      'messages[1].content[1].data',
      'messages[1].content[3]',
      'messages[1].content[4].input',
    ]);
  });

  test.each<[object, object[]]>([
    [
      { type: 'thinking', thinking: 'Hm.', signature: '' },
      [{ type: 'reasoning', summary: [{ type: 'summary_text', text: 'Hm.' }] }],
    ],
    [{ type: 'thinking', thinking: 'Hm.' }, [{ type: 'reasoning', summary: [{ type: 'summary_text', text: 'Hm.' }] }]],
    [{ type: 'thinking', thinking: '', signature: 's' }, [{ type: 'reasoning', summary: [], encrypted_content: 's' }]],
    [{ type: 'thinking', thinking: '', signature: '' }, []],
  ])('%j', (block, items) => {
    expect(read(['assistant', [block]]).input).toEqual(items);
  });

  test('may be the beginning of the answer', () => {
    expect(read(['user', 'Hi'], ['assistant', 'The answer is']).input.at(-1)).toMatchObject({ role: 'assistant' });
  });

  test('may have done what only its own server can', () => {
    const { input, losses } = read([
      'assistant',
      [
        { type: 'server_tool_use', id: 's1', name: 'web_search', input: {} },
        { type: 'web_search_tool_result', tool_use_id: 's1', content: [] },
        { type: 'server_tool_use', id: 's2', name: 'code_execution', input: {} },
        { type: 'code_execution_tool_result', tool_use_id: 's2', content: {} },
        { type: 'text', text: 'Found.' },
        { type: 'something_new', x: 1 },
      ],
    ]);
    expect(input).toHaveLength(1);
    expect(losses.map(({ path }) => path)).toEqual([2, 3, 5].map((at) => `messages[0].content[${String(at)}]`));
  });
});

describe('results of calls', () => {
  const asked: [string, unknown] = ['assistant', [call('a'), call('b')]];

  test('come first, whatever was said beside them', () => {
    const { input } = read(
      asked,
      ['system', 'Careful.'],
      ['user', [{ type: 'text', text: 'Before.' }, result('b')]],
      ['user', [result('a', { is_error: true }), { type: 'text', text: 'After.' }]],
    );
    expect(input.slice(2)).toEqual([
      { type: 'function_call_output', call_id: 'b', output: 'ok' },
      { type: 'function_call_output', call_id: 'a', output: 'ok', is_error: true },
      { type: 'message', role: 'system', content: [{ type: 'input_text', text: 'Careful.' }] },
      { type: 'message', role: 'user', content: [{ type: 'input_text', text: 'Before.' }] },
      { type: 'message', role: 'user', content: [{ type: 'input_text', text: 'After.' }] },
    ]);
  });

  test.each<[unknown, unknown]>([
    [undefined, []],
    [null, []],
    ['', ''],
    ['text', 'text'],
    [[], []],
    [
      [
        { type: 'text', text: 'a', ...cached },
        { type: 'image', source: { type: 'url', url: 'https://x.example/a.png' } },
        { type: 'tool_reference', tool_name: 'g' },
      ],
      [
        { type: 'input_text', text: 'a' },
        { type: 'input_image', image_url: 'https://x.example/a.png' },
        { type: 'input_text', text: 'The tool g is available.' },
      ],
    ],
  ])('%j', (content, output) => {
    const { input } = read(['assistant', [call('a')]], ['user', [{ ...result('a'), content }]]);
    expect(input[1]).toEqual({ type: 'function_call_output', call_id: 'a', output });
  });

  test('the same id may be used again once it is answered', () => {
    const { input } = read(
      ['assistant', [call('a')]],
      ['user', [result('a')]],
      ['assistant', [call('a')]],
      ['user', [result('a')]],
    );
    expect(input).toHaveLength(4);
  });

  test('calls of two assistant messages in a row are one turn', () => {
    const { input } = read(['assistant', [call('a')]], ['assistant', [call('b')]], ['user', [result('a'), result('b')]]);
    expect(input).toHaveLength(4);
  });
});

test('tools that are added in between are there anyway; removing one is reported', () => {
  const { input, losses } = read(
    ['user', 'Hi'],
    ['system', [{ type: 'tool_addition', tool: { type: 'tool_reference', name: 'g' } }]],
    ['system', [{ type: 'tool_removal', tool: { type: 'tool_reference', name: 'g' } }]],
  );
  expect(input).toHaveLength(1);
  expect(losses.map(({ path }) => path)).toEqual(['messages[2].content[0]']);
});
