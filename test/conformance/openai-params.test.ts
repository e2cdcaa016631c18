import type {
  ResponseCreateParamsBase,
  ResponseIncludable,
  ResponseInputItem,
  ResponseInputText,
  Tool,
} from 'openai/resources/responses/responses';
import type { ReasoningEffort } from 'openai/resources/shared';
import { describe, expect, test } from 'vitest';
import { GatewayError } from '../../src/model/errors.ts';
import { parseCreateResponse } from '../../src/server/parse-request/parse-create-response.ts';

/** Examples of a union, at least one for each `type`; `tsc` keeps them whole. */
type ByType<Union extends { type?: string | null }> = {
  readonly [T in NonNullable<Union['type']>]: readonly (Union & { type?: T | null })[];
};
type Field = keyof ResponseCreateParamsBase;
type Values<F extends Field> = readonly ResponseCreateParamsBase[F][];

const schema = { type: 'object', properties: { city: { type: 'string' } } };
const text: ResponseInputText = { type: 'input_text', text: 'Hi' };
const image = { type: 'input_image', image_url: 'data:image/png;base64,AAAA', detail: 'auto' } as const;
const file = { type: 'input_file', file_data: 'data:text/plain;base64,aGk=', filename: 'a.txt' } as const;
const status = 'completed';
const ids = { id: 'x_1', call_id: 'call_1' } as const;
const environment = { type: 'container_reference', container_id: 'c' } as const;
const mcp = { id: 'mcp_1', name: 'f', arguments: '{}', server_label: 's' } as const;

const tools: ByType<Tool> = {
  function: [
    {
      type: 'function',
      name: 'f',
      parameters: schema,
      strict: true,
      description: 'd',
      output_schema: null,
      defer_loading: false,
      allowed_callers: ['direct'],
    },
    { type: 'function', name: 'g', parameters: null, strict: null, description: null },
  ],
  file_search: [{ type: 'file_search', vector_store_ids: ['vs_1'] }],
  computer: [{ type: 'computer' }],
  computer_use_preview: [{ type: 'computer_use_preview', display_height: 1, display_width: 1, environment: 'mac' }],
  web_search: [{ type: 'web_search', filters: null, search_context_size: 'low', user_location: null }],
  web_search_2025_08_26: [{ type: 'web_search_2025_08_26' }],
  web_search_preview: [{ type: 'web_search_preview' }],
  web_search_preview_2025_03_11: [{ type: 'web_search_preview_2025_03_11' }],
  mcp: [{ type: 'mcp', server_label: 's', server_url: 'https://example.org' }],
  code_interpreter: [{ type: 'code_interpreter', container: { type: 'auto' } }],
  programmatic_tool_calling: [{ type: 'programmatic_tool_calling' }],
  image_generation: [{ type: 'image_generation' }],
  local_shell: [{ type: 'local_shell' }],
  shell: [{ type: 'shell' }],
  custom: [
    { type: 'custom', name: 'c', description: 'd', format: { type: 'grammar', syntax: 'lark', definition: 'start: "a"' } },
  ],
  namespace: [{ type: 'namespace', name: 'n', description: 'd', tools: [{ type: 'function', name: 'f' }] }],
  tool_search: [{ type: 'tool_search' }],
  apply_patch: [{ type: 'apply_patch' }],
};

const inputItems: ByType<ResponseInputItem> = {
  message: [
    { role: 'user', content: 'Hi' },
    { type: 'message', role: 'developer', content: [text, image, file] },
    { type: 'message', role: 'system', content: [text], status },
    { role: 'assistant', content: 'Hi', phase: 'commentary' },
    { role: 'assistant', content: 'Hi', phase: null },
    {
      type: 'message',
      id: 'msg_1',
      role: 'assistant',
      status,
      content: [
        { type: 'output_text', text: 'Hi', annotations: [], logprobs: [] },
        { type: 'refusal', refusal: 'No' },
      ],
    },
  ],
  function_call: [
    { type: 'function_call', call_id: 'call_1', name: 'f', arguments: '{}' },
    { type: 'function_call', ...ids, name: 'f', arguments: '{}', status, namespace: 'n', caller: null },
  ],
  function_call_output: [
    { type: 'function_call_output', call_id: 'call_1', output: 'x' },
    { type: 'function_call_output', ...ids, output: [text, { ...image, detail: null }, file], status: null },
  ],
  reasoning: [
    { type: 'reasoning', id: 'rs_1', summary: [] },
    {
      type: 'reasoning',
      id: 'rs_2',
      summary: [{ type: 'summary_text', text: 'x' }],
      content: [{ type: 'reasoning_text', text: 'y' }],
      encrypted_content: null,
      status,
    },
  ],
  item_reference: [{ id: 'msg_1' }, { id: 'msg_1', type: null }, { id: 'msg_1', type: 'item_reference' }],
  file_search_call: [{ type: 'file_search_call', id: 'fs_1', queries: ['q'], status, results: null }],
  computer_call: [{ type: 'computer_call', ...ids, pending_safety_checks: [], status }],
  computer_call_output: [
    { type: 'computer_call_output', call_id: 'call_1', output: { type: 'computer_screenshot', image_url: 'data:' } },
  ],
  web_search_call: [{ type: 'web_search_call', id: 'ws_1', status, action: { type: 'search', query: 'q', queries: ['q'] } }],
  tool_search_call: [{ type: 'tool_search_call', arguments: {} }],
  tool_search_output: [{ type: 'tool_search_output', tools: [] }],
  additional_tools: [{ type: 'additional_tools', role: 'developer', tools: [] }],
  compaction: [{ type: 'compaction', encrypted_content: 'x' }],
  image_generation_call: [{ type: 'image_generation_call', id: 'ig_1', result: null, status }],
  code_interpreter_call: [{ type: 'code_interpreter_call', id: 'ci_1', code: null, container_id: 'c', outputs: null, status }],
  local_shell_call: [{ type: 'local_shell_call', ...ids, action: { type: 'exec', command: ['ls'], env: {} }, status }],
  local_shell_call_output: [{ type: 'local_shell_call_output', id: 'call_1', output: 'x' }],
  shell_call: [{ type: 'shell_call', call_id: 'call_1', action: { commands: ['ls'] }, environment }],
  shell_call_output: [{ type: 'shell_call_output', call_id: 'call_1', output: [] }],
  apply_patch_call: [{ type: 'apply_patch_call', call_id: 'call_1', operation: { type: 'delete_file', path: 'a' }, status }],
  apply_patch_call_output: [{ type: 'apply_patch_call_output', call_id: 'call_1', status }],
  mcp_list_tools: [{ type: 'mcp_list_tools', id: 'mcpl_1', server_label: 's', tools: [] }],
  mcp_approval_request: [{ type: 'mcp_approval_request', ...mcp }],
  mcp_approval_response: [{ type: 'mcp_approval_response', approval_request_id: 'x', approve: true }],
  mcp_call: [{ type: 'mcp_call', ...mcp }],
  custom_tool_call: [{ type: 'custom_tool_call', call_id: 'call_1', name: 'c', input: 'x' }],
  custom_tool_call_output: [{ type: 'custom_tool_call_output', call_id: 'call_1', output: 'x' }],
  compaction_trigger: [{ type: 'compaction_trigger' }],
  program: [{ type: 'program', ...ids, code: 'x', fingerprint: 'f' }],
  program_output: [{ type: 'program_output', ...ids, result: 'x', status }],
};

const includables: Readonly<Record<ResponseIncludable, true>> = {
  'file_search_call.results': true,
  'web_search_call.results': true,
  'web_search_call.action.sources': true,
  'message.input_image.image_url': true,
  'computer_call_output.output.image_url': true,
  'code_interpreter_call.outputs': true,
  'reasoning.encrypted_content': true,
  'message.output_text.logprobs': true,
};
const efforts: Readonly<Record<NonNullable<ReasoningEffort>, true>> = {
  ...{ none: true, minimal: true, low: true, medium: true, high: true, xhigh: true, max: true },
};

/** Values of every field that the client can send. */
const accepted: { readonly [F in Field]-?: Values<F> } = {
  model: ['gemini/gemini-3-flash', 'gpt-5.6'],
  input: [
    'Hi',
    ...Object.values(inputItems)
      .flat()
      .map((item) => [item]),
  ],
  instructions: ['Be brief', null],
  previous_response_id: ['resp_1', null],
  conversation: [null, 'conv_1', { id: 'conv_1' }],
  store: [true, false, null],
  background: [false, null],
  stream: [true, false, null],
  stream_options: [null],
  include: [Object.keys(includables) as ResponseIncludable[], [], null],
  tools: [Object.values(tools).flat(), []],
  tool_choice: [
    ...(['none', 'auto', 'required'] as const),
    ...([
      { type: 'function', name: 'f' },
      { type: 'custom', name: 'c' },
      { type: 'mcp', server_label: 's' },
    ] as const),
    { type: 'allowed_tools', mode: 'required', tools: [{ type: 'function', name: 'f' }] },
    ...([
      { type: 'file_search' },
      { type: 'web_search_preview' },
      { type: 'apply_patch' },
      { type: 'shell' },
      { type: 'programmatic_tool_calling' },
    ] as const),
    ...([
      { type: 'computer' },
      { type: 'computer_use_preview' },
      { type: 'image_generation' },
      { type: 'code_interpreter' },
    ] as const),
  ],
  parallel_tool_calls: [true, false, null],
  max_output_tokens: [16, 100_000, null],
  temperature: [0, 2, null],
  top_p: [0, 1, null],
  top_logprobs: [0, 20, null],
  text: [
    {},
    { verbosity: null },
    ...(['low', 'medium', 'high'] as const).map((verbosity) => ({ verbosity })),
    ...([{ format: { type: 'text' } }, { format: { type: 'json_object' } }] as const),
    { format: { type: 'json_schema', name: 'n', schema, description: 'd', strict: null } },
  ],
  reasoning: [
    null,
    {},
    { effort: null },
    ...Object.keys(efforts).map((effort) => ({ effort: effort as ReasoningEffort })),
    ...(['auto', 'concise', 'detailed', null] as const).map((summary) => ({ summary, generate_summary: summary })),
    ...(['auto', 'current_turn', 'all_turns', null] as const).map((context) => ({ context })),
    ...['standard', 'pro', 'another'].map((mode) => ({ mode })),
  ],
  truncation: ['auto', 'disabled', null],
  metadata: [{ a: 'b' }, {}, null],
  service_tier: ['auto', 'default', 'flex', 'scale', 'priority', null],
  safety_identifier: ['s', null],
  prompt_cache_key: ['k', null],
  prompt_cache_options: [{}, { mode: 'explicit', ttl: '30m' }],
  prompt_cache_retention: ['in_memory', '24h', null],
  context_management: [[{ type: 'compaction', compact_threshold: 1000 }], null],
  moderation: [{ model: 'omni-moderation-latest' }, null],
  prompt: [null],
  user: ['u'],
};

/** What the client can send and we refuse, saying so. */
const refused: { readonly [F in Field]?: Values<F> } = {
  background: [true],
  prompt: [{ id: 'pmpt_1' }],
};

function parse(field: string, value: unknown): GatewayError | null {
  // A choice needs its tools, and options of a stream need the stream.
  const context = { input: 'Hi', ...(field === 'tool_choice' && { tools: Object.values(tools).flat() }) };
  try {
    parseCreateResponse({ ...context, [field]: value });
    return null;
  } catch (error) {
    return GatewayError.from(error);
  }
}

describe("requests that the official client's types allow", () => {
  test('parse', () => {
    const samples = Object.entries(accepted).flatMap(([field, values]) =>
      (values as readonly unknown[]).map((value) => ({ field, value })),
    );
    const faults = samples.flatMap(({ field, value }) => {
      const error = parse(field, value);
      return error === null ? [] : [`${field} ${JSON.stringify(value)}: ${error.message}`];
    });
    console.log(`client's request types: ${String(faults.length)} bad / ${String(samples.length)} tried`);
    expect(faults).toEqual([]);
    expect(
      [...Object.entries(accepted), ...Object.entries(tools), ...Object.entries(inputItems)].filter(
        ([, values]) => values.length === 0,
      ),
    ).toEqual([]);
  });

  test('parse all together', () => {
    const body = Object.fromEntries(
      Object.entries(accepted).map(([field, values]) => [field, (values as readonly unknown[])[0]]),
    );
    expect(parseCreateResponse({ ...body, stream_options: { include_obfuscation: false } }).request).toMatchObject({
      model: body['model'],
      stream: true,
    });
  });

  test('or are refused by name', () => {
    for (const [field, values] of Object.entries(refused)) {
      for (const value of values as readonly unknown[])
        expect(parse(field, value)).toMatchObject({ code: 'unsupported_parameter', param: field });
    }
  });
});
