import { describe, expect, test } from 'vitest';
import { errorOf } from '../../../test/error-of.ts';
import type { InputItemParam } from '../../protocol/responses/items.ts';
import { parseCreateResponse } from './parse-create-response.ts';

const parse = (item: unknown): InputItemParam | undefined => parseCreateResponse({ input: [item] }).request.input[0];
const failure = (item: unknown): { code: string; param: string | null } => {
  const { code, param } = errorOf(() => parseCreateResponse({ input: [item] }));
  return { code, param };
};

describe('messages', () => {
  test.each(['user', 'system', 'developer'])('%s: text is one input part', (role) => {
    expect(parse({ role, content: 'hi' })).toEqual({ type: 'message', role, content: [{ type: 'input_text', text: 'hi' }] });
  });

  test('assistant: text is one output part, phase and id stay', () => {
    expect(
      parse({ type: 'message', id: 'msg_1', status: 'completed', role: 'assistant', content: 'hi', phase: 'commentary' }),
    ).toEqual({
      type: 'message',
      id: 'msg_1',
      status: 'completed',
      role: 'assistant',
      content: [{ type: 'output_text', text: 'hi' }],
      phase: 'commentary',
    });
  });

  test('our own output comes back, with whatever clients keep in it', () => {
    const content = [
      { type: 'output_text', text: 'a', annotations: [{ type: 'url_citation' }], logprobs: [] },
      { type: 'refusal', refusal: 'no' },
    ];
    expect(
      parse({ type: 'message', role: 'assistant', content, internal_chat_message_metadata_passthrough: { turn_id: 'x' } }),
    ).toEqual({
      type: 'message',
      role: 'assistant',
      content: [
        { type: 'output_text', text: 'a' },
        { type: 'refusal', refusal: 'no' },
      ],
    });
  });

  test.each([
    [null, []],
    [[], []],
    ['', [{ type: 'input_text', text: '' }]],
  ])('content %j', (content, parts) => {
    expect(parse({ role: 'user', content })).toMatchObject({ content: parts });
  });

  test.each([
    [{ role: 'boss', content: 'x' }, 'invalid_value', 'input[0].role'],
    [{ type: 'message', content: 'x' }, 'missing_required_parameter', 'input[0].role'],
    [{ role: 'user' }, 'missing_required_parameter', 'input[0].content'],
    [{ role: 'user', content: ['x'] }, 'invalid_type', 'input[0].content[0]'],
    [{ role: 'user', content: [{ text: 'x' }] }, 'missing_required_parameter', 'input[0].content[0].type'],
    [{ role: 'user', content: [{ type: 'text', text: 'x' }] }, 'invalid_value', 'input[0].content[0].type'],
    [{ role: 'user', content: [{ type: 'output_text', text: 'x' }] }, 'invalid_value', 'input[0].content[0].type'],
    [{ role: 'assistant', content: [{ type: 'input_image', file_id: 'f' }] }, 'invalid_value', 'input[0].content[0].type'],
    [
      { role: 'user', content: [{ type: 'input_video', video_url: 'https://a.b/c' }] },
      'unsupported_value',
      'input[0].content[0].type',
    ],
    [{ role: 'user', content: [{ type: 'input_audio', input_audio: {} }] }, 'unsupported_value', 'input[0].content[0].type'],
    [{ role: 'assistant', content: 'x', phase: 'middle' }, 'invalid_value', 'input[0].phase'],
  ])('%j', (item, code, param) => {
    expect(failure(item)).toEqual({ code, param });
  });

  test('the error of a wrong part lists those of its role', () => {
    const message = (role: string): string => errorOf(() => parse({ role, content: [{ type: 'text' }] })).message;
    expect(message('user')).toBe("Invalid value: 'text'. Supported values are: 'input_text', 'input_image', and 'input_file'.");
    expect(message('assistant')).toBe("Invalid value: 'text'. Supported values are: 'output_text', 'refusal', and 'input_text'.");
  });
});

describe('function calls', () => {
  const call = { type: 'function_call', call_id: 'call_1', name: 'f', arguments: '{}' };

  test('with and without id, status and namespace', () => {
    expect(parse(call)).toEqual(call);
    const full = { ...call, id: 'fc_1', status: 'completed', namespace: 'multi_agent_v1' };
    expect(parse({ ...full, caller: null, async: false })).toEqual(full);
    expect(parse({ ...call, id: null, status: null, namespace: null })).toEqual(call);
    expect(parse({ ...call, id: '' }), 'an empty id is none').toEqual(call);
  });

  test.each([
    [{ arguments: { a: 1 } }, 'invalid_type', 'input[0].arguments'],
    [{ arguments: null }, 'invalid_type', 'input[0].arguments'],
    [{ call_id: '' }, 'string_below_min_length', 'input[0].call_id'],
    [{ call_id: 'c'.repeat(65) }, 'string_above_max_length', 'input[0].call_id'],
    [{ call_id: null }, 'invalid_type', 'input[0].call_id'],
    [{ call_id: undefined }, 'missing_required_parameter', 'input[0].call_id'],
    [{ name: '' }, 'string_below_min_length', 'input[0].name'],
    [{ name: 'n'.repeat(129) }, 'string_above_max_length', 'input[0].name'],
    [{ status: 'done' }, 'invalid_value', 'input[0].status'],
    [{ id: 'i'.repeat(513) }, 'string_above_max_length', 'input[0].id'],
  ])('%j', (change, code, param) => {
    expect(failure({ ...call, ...change })).toEqual({ code, param });
  });

  test('limits, just inside', () => {
    expect(parse({ ...call, call_id: 'c'.repeat(64), name: 'n'.repeat(128), id: 'i'.repeat(512) })).toMatchObject({
      type: 'function_call',
    });
  });
});

describe('function call outputs', () => {
  const output = { type: 'function_call_output', call_id: 'call_1' };

  test('text, parts, null', () => {
    expect(parse({ ...output, output: 'done', status: 'completed' })).toEqual({ ...output, output: 'done', status: 'completed' });
    expect(parse({ ...output, output: null })).toEqual({ ...output, output: '' });
    expect(parse({ ...output, output: [] })).toEqual({ ...output, output: [] });
    const parts = [
      { type: 'input_text', text: 'a' },
      { type: 'input_image', image_url: 'data:image/png;base64,AAAA', detail: 'original' },
    ];
    expect(parse({ ...output, output: parts })).toEqual({ ...output, output: parts });
  });

  test.each([
    [{}, 'missing_required_parameter', 'input[0].output'],
    [{ output: { ok: true } }, 'invalid_type', 'input[0].output'],
    [{ output: [{ type: 'output_text', text: 'x' }] }, 'invalid_value', 'input[0].output[0].type'],
    [{ output: [{ type: 'input_text' }] }, 'missing_required_parameter', 'input[0].output[0].text'],
    [{ output: [{ type: 'input_video', video_url: 'https://a.b' }] }, 'unsupported_value', 'input[0].output[0].type'],
  ])('%j', (change, code, param) => {
    expect(failure({ ...output, ...change })).toEqual({ code, param });
  });
});

describe('reasoning', () => {
  test('as each client sends it', () => {
    const summary = [{ type: 'summary_text', text: 't' }];
    expect(parse({ type: 'reasoning', id: 'rs_1', summary, content: null, encrypted_content: 'e' })).toEqual({
      type: 'reasoning',
      id: 'rs_1',
      summary,
      encrypted_content: 'e',
    });
    expect(parse({ type: 'reasoning', summary: [], encrypted_content: null, status: 'whatever' })).toEqual({
      type: 'reasoning',
      summary: [],
    });
    const content = [{ type: 'reasoning_text', text: 'r' }];
    expect(parse({ type: 'reasoning', summary, content })).toEqual({ type: 'reasoning', summary, content });
  });

  test.each([
    [{}, 'missing_required_parameter', 'input[0].summary'],
    [{ summary: ['x'] }, 'invalid_type', 'input[0].summary[0]'],
    [{ summary: [{ type: 'text', text: 'x' }] }, 'invalid_value', 'input[0].summary[0].type'],
    [{ summary: [], content: [{ type: 'reasoning_text' }] }, 'missing_required_parameter', 'input[0].content[0].text'],
    [{ summary: [], encrypted_content: {} }, 'invalid_type', 'input[0].encrypted_content'],
  ])('%j', (item, code, param) => {
    expect(failure({ type: 'reasoning', ...item })).toEqual({ code, param });
  });
});

describe('references and other items', () => {
  test.each([{ type: 'item_reference', id: 'rs_1' }, { id: 'rs_1' }, { id: 'rs_1', type: null }])(
    '%j refers to an item',
    (item) => {
      expect(parse(item)).toEqual({ type: 'item_reference', id: 'rs_1' });
    },
  );

  test.each([
    [{ type: 'item_reference' }, 'missing_required_parameter', 'input[0].id'],
    [{ type: 'item_reference', id: '' }, 'string_below_min_length', 'input[0].id'],
    [{ id: 'msg_1', content: 'x' }, 'missing_required_parameter', 'input[0].type'],
    [{}, 'missing_required_parameter', 'input[0].type'],
    [{ type: 5, role: 'user', content: 'x' }, 'invalid_type', 'input[0].type'],
    [{ type: 'toString' }, 'invalid_value', 'input[0].type'],
  ])('%j', (item, code, param) => {
    expect(failure(item)).toEqual({ code, param });
  });

  test('a known type without counterpart is kept as it is', () => {
    const raw = { type: 'custom_tool_call', id: 'ctc_1', call_id: 'call_1', name: 'exec', input: 'ls', status: 'completed' };
    const item = parse(raw);
    expect(item).toEqual({ type: 'other', itemType: 'custom_tool_call', id: 'ctc_1', raw });
    expect(parse({ type: 'compaction_trigger' })).toEqual({
      type: 'other',
      itemType: 'compaction_trigger',
      raw: { type: 'compaction_trigger' },
    });
  });

  test('an unknown type is refused with the list', () => {
    const error = errorOf(() => parse({ type: 'acme:widget' }));
    expect(error).toMatchObject({ code: 'invalid_value', param: 'input[0].type' });
    expect(error.message).toMatch(
      /^Invalid value: 'acme:widget'\. Supported values are: 'message', 'function_call', .*, and 'configuration_update'\.$/,
    );
  });

  test('item i of the answer is item i of the body', () => {
    const input = Array.from({ length: 500 }, (_, n) =>
      n % 2 === 0 ? { role: 'user', content: String(n) } : { id: `rs_${String(n)}` },
    );
    const parsed = parseCreateResponse({ input }).request.input;
    expect(parsed).toHaveLength(500);
    expect(parsed[499]).toEqual({ type: 'item_reference', id: 'rs_499' });
  });
});

test('a path counts items and parts from 0', () => {
  const good = { type: 'input_text', text: 'x' };
  const summary = [{ type: 'summary_text', text: 'x' }, { type: 'summary_text' }];
  expect(failure({ role: 'user', content: [good, good, { type: 'input_text' }] }).param).toBe('input[0].content[2].text');
  expect(failure({ type: 'function_call_output', call_id: 'c', output: [good, { type: 'input_text' }] }).param).toBe(
    'input[0].output[1].text',
  );
  expect(failure({ type: 'reasoning', summary }).param).toBe('input[0].summary[1].text');
});
