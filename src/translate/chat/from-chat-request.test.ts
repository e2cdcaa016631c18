import { describe, expect, test } from 'vitest';
import { errorOf } from '../../../test/error-of.ts';
import { toClientPath } from '../front-request.ts';
import { fromChatRequest } from './from-chat-request.ts';

const user = { role: 'user', content: 'Hi' };
const call = { id: 'call_1', type: 'function', function: { name: 'search', arguments: '{}' } };
const tool = { type: 'function', function: { name: 'search' } };

function read(body: object): ReturnType<typeof fromChatRequest> {
  return fromChatRequest({ model: 'm', messages: [user], ...body });
}

/** `code at param` of the refusal. */
function refusal(body: unknown): string {
  const { code, param } = errorOf(() => fromChatRequest(body));
  return `${code} at ${String(param)}`;
}

const inMessage = (message: object): object => ({ messages: [user, message] });
const inPart = (part: unknown, role = 'user'): object => inMessage({ role, content: [{ type: 'text', text: 'a' }, part] });
const inFormat = (format: object): object => ({
  response_format: { type: 'json_schema', json_schema: { name: 'a', schema: {}, ...format } },
});

const refused: readonly [body: object, expected: string][] = [
  [{ messages: [] }, 'empty_array at messages'],
  [{ messages: 'Hi' }, 'invalid_type at messages'],
  [{ messages: null }, 'missing_required_parameter at messages'],
  [{ messages: null, input: 'Hi' }, 'missing_required_parameter at messages'],
  [{ messages: ['Hi'] }, 'invalid_type at messages[0]'],
  [{ model: 1 }, 'invalid_type at model'],
  [{ model: '' }, 'string_below_min_length at model'],
  [inMessage({ content: 'a' }), 'missing_required_parameter at messages[1].role'],
  [inMessage({ role: 'model', content: 'a' }), 'invalid_value at messages[1].role'],
  [inMessage({ role: 'user' }), 'missing_required_parameter at messages[1].content'],
  [inMessage({ role: 'user', content: null }), 'invalid_type at messages[1].content'],
  [inMessage({ role: 'user', content: 1 }), 'invalid_type at messages[1].content'],
  [inMessage({ role: 'user', content: ['a'] }), 'invalid_type at messages[1].content[0]'],
  [inMessage({ role: 'user', content: 'a', name: 1 }), 'invalid_type at messages[1].name'],
  [
    inMessage({ role: 'system', content: [{ type: 'image_url', image_url: { url: 'https://a.b/c' } }] }),
    'invalid_value at messages[1].content[0].type',
  ],
  [inPart({ text: 'a' }), 'missing_required_parameter at messages[1].content[1].type'],
  [inPart({ type: 'text' }), 'missing_required_parameter at messages[1].content[1].text'],
  [inPart({ type: 'video_url' }), 'invalid_value at messages[1].content[1].type'],
  [inPart({ type: 'refusal', refusal: 'a' }), 'invalid_value at messages[1].content[1].type'],
  [inPart({ type: 'image_url' }), 'missing_required_parameter at messages[1].content[1].image_url'],
  [inPart({ type: 'image_url', image_url: {} }), 'missing_required_parameter at messages[1].content[1].image_url.url'],
  [
    inPart({ type: 'image_url', image_url: { url: 'file:///etc/passwd' } }),
    'invalid_value at messages[1].content[1].image_url.url',
  ],
  [
    inPart({ type: 'image_url', image_url: { url: 'data:image/png;base64,???' } }),
    'invalid_value at messages[1].content[1].image_url.url',
  ],
  [
    inPart({ type: 'image_url', image_url: { url: 'https://a.b/c', detail: 'full' } }),
    'invalid_value at messages[1].content[1].image_url.detail',
  ],
  [inPart({ type: 'file' }), 'missing_required_parameter at messages[1].content[1].file'],
  [inPart({ type: 'file', file: {} }), 'missing_required_parameter at messages[1].content[1].file.file_data'],
  [inPart({ type: 'file', file: { file_id: 'file-1' } }), 'unsupported_value at messages[1].content[1].file.file_id'],
  [inPart({ type: 'file', file: { file_data: 'no base64!' } }), 'invalid_value at messages[1].content[1].file.file_data'],
  [inPart({ type: 'input_audio', input_audio: { data: '', format: 'wav' } }), 'unsupported_value at messages[1].content[1].type'],
  [
    inPart({ type: 'image_url', image_url: { url: 'https://a.b/c' } }, 'assistant'),
    'invalid_value at messages[1].content[1].type',
  ],
  [inMessage({ role: 'assistant', refusal: 1 }), 'invalid_type at messages[1].refusal'],
  [inMessage({ role: 'assistant', reasoning_content: 1 }), 'invalid_type at messages[1].reasoning_content'],
  [inMessage({ role: 'assistant', reasoning_details: {} }), 'invalid_type at messages[1].reasoning_details'],
  [
    inMessage({ role: 'assistant', reasoning_details: [{ type: 'reasoning.encrypted', data: 1 }] }),
    'invalid_type at messages[1].reasoning_details[0].data',
  ],
  [inMessage({ role: 'assistant', tool_calls: {} }), 'invalid_type at messages[1].tool_calls'],
  [
    inMessage({ role: 'assistant', tool_calls: [{ ...call, id: undefined }] }),
    'missing_required_parameter at messages[1].tool_calls[0].id',
  ],
  [inMessage({ role: 'assistant', tool_calls: [{ ...call, type: 'mcp' }] }), 'invalid_value at messages[1].tool_calls[0].type'],
  [
    inMessage({ role: 'assistant', tool_calls: [call, { ...call, function: {} }] }),
    'missing_required_parameter at messages[1].tool_calls[1].function.name',
  ],
  [
    inMessage({ role: 'assistant', tool_calls: [{ ...call, function: { name: 'a', arguments: {} } }] }),
    'invalid_type at messages[1].tool_calls[0].function.arguments',
  ],
  [
    inMessage({ role: 'assistant', function_call: { name: 'a' } }),
    'missing_required_parameter at messages[1].function_call.arguments',
  ],
  [inMessage({ role: 'tool', content: 'a' }), 'missing_required_parameter at messages[1].tool_call_id'],
  [inMessage({ role: 'tool', tool_call_id: 'a' }), 'missing_required_parameter at messages[1].content'],
  [inMessage({ role: 'function', name: 'a', content: 'b' }), 'invalid_request_error at messages[1].name'],
  [{ tools: {} }, 'invalid_type at tools'],
  [{ tools: [{ type: 'web_search' }] }, 'invalid_value at tools[0].type'],
  [{ tools: [{ type: 'function', name: 'a' }] }, 'missing_required_parameter at tools[0].function'],
  [{ tools: [tool, { type: 'function', function: {} }] }, 'missing_required_parameter at tools[1].function.name'],
  [{ tools: [{ type: 'function', function: { name: 'a b' } }] }, 'invalid_value at tools[0].function.name'],
  [{ tools: [tool, tool] }, 'invalid_value at tools[1].function.name'],
  [
    { tools: [{ type: 'function', function: { name: 'a', parameters: { type: 'array' } } }] },
    'invalid_function_parameters at tools[0].function.parameters',
  ],
  [{ tools: [{ type: 'function', function: { name: 'a', strict: 'yes' } }] }, 'invalid_type at tools[0].function.strict'],
  [{ tools: [{ type: 'custom', custom: { name: 'a', format: { type: 'x' } } }] }, 'invalid_value at tools[0].custom.format.type'],
  [{ functions: [{ name: 1 }] }, 'invalid_type at functions[0].name'],
  [{ functions: [{ name: 'a' }, { name: 'a' }] }, 'invalid_value at functions[1].name'],
  [{ functions: [{ name: 'a' }], tools: [tool] }, 'mutually_exclusive_parameters at functions'],
  [{ functions: [{ name: 'a' }], function_call: 'required' }, 'invalid_value at function_call'],
  [{ functions: [{ name: 'a' }], function_call: { name: 'b' } }, 'invalid_value at function_call'],
  [{ tools: [tool], tool_choice: 'some' }, 'invalid_value at tool_choice'],
  [{ tools: [tool], tool_choice: 1 }, 'invalid_type at tool_choice'],
  [{ tools: [tool], tool_choice: { type: 'function' } }, 'missing_required_parameter at tool_choice.function'],
  [{ tools: [tool], tool_choice: { type: 'function', function: {} } }, 'missing_required_parameter at tool_choice.function.name'],
  [{ tools: [tool], tool_choice: { type: 'function', function: { name: 'b' } } }, 'invalid_value at tool_choice'],
  [{ tools: [tool], tool_choice: { type: 'mcp' } }, 'invalid_value at tool_choice.type'],
  [{ tools: [tool], tool_choice: { type: 'allowed_tools' } }, 'missing_required_parameter at tool_choice.allowed_tools'],
  [
    { tools: [tool], tool_choice: { type: 'allowed_tools', allowed_tools: { mode: 'none', tools: [tool] } } },
    'invalid_value at tool_choice.allowed_tools.mode',
  ],
  [
    {
      tools: [tool],
      tool_choice: {
        type: 'allowed_tools',
        allowed_tools: { mode: 'auto', tools: [{ type: 'function', function: { name: 'b' } }] },
      },
    },
    'invalid_value at tool_choice.allowed_tools.tools[0]',
  ],
  [{ tool_choice: 'required' }, 'invalid_value at tool_choice'],
  [{ response_format: 'json' }, 'invalid_type at response_format'],
  [{ response_format: { type: 'xml' } }, 'invalid_value at response_format.type'],
  [{ response_format: { type: 'json_schema' } }, 'missing_required_parameter at response_format.json_schema'],
  [inFormat({ name: 'a b' }), 'invalid_value at response_format.json_schema.name'],
  [inFormat({ schema: [] }), 'invalid_type at response_format.json_schema.schema'],
  [inFormat({ strict: 1 }), 'invalid_type at response_format.json_schema.strict'],
  [{ stream: 'yes' }, 'invalid_type at stream'],
  [{ stream_options: { include_usage: true } }, 'invalid_value at stream_options'],
  [{ stream: true, stream_options: { include_usage: 1 } }, 'invalid_type at stream_options.include_usage'],
  [{ n: 2 }, 'unsupported_value at n'],
  [{ n: 0 }, 'integer_below_min_value at n'],
  [{ max_tokens: -1 }, 'integer_below_min_value at max_tokens'],
  [{ max_completion_tokens: 1.5 }, 'invalid_type at max_completion_tokens'],
  [{ max_tokens: 5, max_completion_tokens: 6 }, 'mutually_exclusive_parameters at max_tokens'],
  [{ stop: 1 }, 'invalid_type at stop'],
  [{ stop: ['a', 1] }, 'invalid_type at stop[1]'],
  [{ stop: ['a', 'b', 'c', 'd', 'e'] }, 'array_above_max_length at stop'],
  [{ seed: 'a' }, 'invalid_type at seed'],
  [{ temperature: 2.1 }, 'decimal_above_max_value at temperature'],
  [{ top_p: -1 }, 'decimal_below_min_value at top_p'],
  [{ presence_penalty: 3 }, 'decimal_above_max_value at presence_penalty'],
  [{ frequency_penalty: 'a' }, 'invalid_type at frequency_penalty'],
  [{ logprobs: 3 }, 'invalid_type at logprobs'],
  [{ logprobs: true, top_logprobs: 21 }, 'integer_above_max_value at top_logprobs'],
  [{ top_logprobs: 3 }, 'invalid_value at top_logprobs'],
  [{ logit_bias: { 50256: -101 } }, 'decimal_below_min_value at logit_bias.50256'],
  [{ reasoning_effort: 'much' }, 'invalid_value at reasoning_effort'],
  [{ verbosity: 'mute' }, 'invalid_value at verbosity'],
  [{ service_tier: 'gold' }, 'invalid_value at service_tier'],
  [{ metadata: { a: 1 } }, 'invalid_type at metadata.a'],
  [{ store: 'no' }, 'invalid_type at store'],
  [{ user: 1 }, 'invalid_type at user'],
  [{ prompt_cache_key: 'a'.repeat(65) }, 'string_above_max_length at prompt_cache_key'],
  [{ modalities: ['text', 'audio'] }, 'unsupported_value at modalities[1]'],
  [{ audio: { voice: 'alloy', format: 'wav' } }, 'unsupported_parameter at audio'],
  [{ prediction: { type: 'x' } }, 'invalid_value at prediction.type'],
  [{ web_search_options: { search_context_size: 'vast' } }, 'invalid_value at web_search_options.search_context_size'],
  [{ web_search_options: { user_location: { type: 'exact' } } }, 'invalid_value at web_search_options.user_location.type'],
  [{ timeout: 0 }, 'decimal_below_min_value at timeout'],
];

describe('a mistake is refused where it stands', () => {
  test.each(refused)('%j', (body, expected) => {
    expect(refusal({ model: 'm', messages: [user], ...body })).toBe(expected);
  });

  test('a body that is no object', () => {
    expect(refusal([])).toBe('invalid_type at body');
  });
});

const lost: readonly [body: object, paths: string[]][] = [
  [{ store: true }, ['store']],
  [{ store: false, metadata: { a: 'b' }, user: 'me', n: 1, modalities: ['text'], logit_bias: {} }, []],
  [{ logit_bias: { 1: 5 } }, ['logit_bias']],
  [{ prediction: { type: 'content', content: 'a' } }, ['prediction']],
  [{ max_output_tokens: 5, extra: 1 }, ['max_output_tokens', 'extra']],
  [{ max_tokens: 0 }, ['max_tokens']],
  [{ stream: true, stream_options: { include_obfuscation: false, x: 1 } }, ['stream_options.x']],
  [inMessage({ role: 'user', content: 'a', name: 'Ada', x: 1 }), ['messages[1].name']],
  [inMessage({ role: 'assistant', content: 'a', audio: { id: 'audio_1' } }), ['messages[1].audio']],
  [{ tool_choice: 'none', web_search_options: {} }, ['web_search_options']],
  [
    inMessage({ role: 'assistant', content: 'a', reasoning_details: [{ type: 'reasoning.text', text: 'b', signature: 'c' }] }),
    ['messages[1].reasoning_details[0].signature'],
  ],
  [
    { messages: [{ role: 'assistant', content: null, function_call: { name: 'a', arguments: '{}' } }, user] },
    ['messages[0].function_call'],
  ],
];

test.each(lost)('what is not done is a loss: %j', (body, paths) => {
  expect(read(body).losses.map(({ path }) => path)).toEqual(paths);
});

describe('what the hub calls otherwise', () => {
  const { names } = read({
    messages: [
      { role: 'developer', content: 'a' },
      {
        role: 'user',
        content: [
          { type: 'text', text: 'b' },
          { type: 'image_url', image_url: { url: 'https://a.b/c' } },
        ],
      },
      {
        role: 'assistant',
        content: 'd',
        refusal: 'e',
        reasoning_details: [{ type: 'reasoning.encrypted', data: 'f' }],
        tool_calls: [call],
      },
      { role: 'tool', tool_call_id: 'call_1', content: [{ type: 'text', text: 'g' }] },
    ],
    tools: [tool],
    max_completion_tokens: 9,
    logprobs: true,
    web_search_options: {},
  });

  test.each([
    ['input', 'messages'],
    ['input[0].content[0]', 'messages[0].content'],
    ['input[1].content[1].detail', 'messages[1].content[1].image_url.detail'],
    ['input[2].encrypted_content', 'messages[2].reasoning_details[0].data'],
    ['input[3].content[0]', 'messages[2].content'],
    ['input[3].content[1]', 'messages[2].refusal'],
    ['input[4].call_id', 'messages[2].tool_calls[0].id'],
    ['input[4].arguments', 'messages[2].tool_calls[0].function.arguments'],
    ['input[5].output[0]', 'messages[3].content[0]'],
    ['max_output_tokens', 'max_completion_tokens'],
    ['tools[0].strict', 'tools[0].function.strict'],
    ['tools[1].type', 'web_search_options'],
    ['reasoning.effort', 'reasoning_effort'],
    ['text.format', 'response_format'],
    ['top_logprobs', 'logprobs'],
  ])('%s is %s', (path, expected) => {
    expect(toClientPath(path, names)).toBe(expected);
  });
});
