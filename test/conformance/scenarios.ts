import { rehearsalModelIds } from '../../src/backends/rehearsal/rehearsal-models.ts';

/** A request that the gateway is to answer in the protocol, whatever the answer is. */
export interface Scenario {
  readonly name: string;
  readonly request: object;
  /** Whether an error is an answer too. */
  readonly mayFail?: true;
}

/** The smallest image that is one. */
export const tinyImage =
  'data:image/png;base64,iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==';

export const weather = {
  type: 'function',
  name: 'get_weather',
  description: 'Weather of a city',
  parameters: { type: 'object', properties: { city: { type: 'string' } }, required: ['city'], additionalProperties: false },
};
const clock = { type: 'function', name: 'get_time', parameters: null, strict: null };
const citySchema = {
  type: 'object',
  properties: { city: { type: 'string' }, degrees: { type: 'integer' } },
  required: ['city', 'degrees'],
  additionalProperties: false,
};
const jsonSchema = { format: { type: 'json_schema', name: 'weather', schema: citySchema, strict: true } };
const thinking = { effort: 'low', summary: 'auto' };

/** What every model is asked. */
const questions: Readonly<Record<string, object>> = {
  plain: { input: 'Say hello to the sea' },
  'tools it is asked to call': { input: 'Call get_weather for Oslo', tools: [weather, clock] },
  'a call is required': { input: 'Hello', tools: [weather, clock], tool_choice: 'required', parallel_tool_calls: false },
  'tools it must not call': { input: 'Call get_weather for Oslo', tools: [weather], tool_choice: 'none' },
  thinking: { input: 'Think of Oslo', reasoning: thinking, include: ['reasoning.encrypted_content'] },
  'thinking and calls': { input: 'Call get_weather for Oslo', tools: [weather], reasoning: thinking, store: false },
  'structured output': { input: 'Oslo please', text: jsonSchema },
};

/** These say so much, or so slowly, that one question is enough. */
const patient = ['long', 'slow', 'stall', 'stall-text', 'stall-arguments'];

/** All rehearsal models, faults and all, with every question; those that never end get half a second. */
export function modelScenarios(): Scenario[] {
  return rehearsalModelIds().flatMap((id) =>
    Object.entries(questions)
      .filter(([name]) => !patient.includes(id) || name === 'plain' || (id.startsWith('stall') && name.startsWith('a call')))
      .map(([name, question]) => ({
        name: `${id}, ${name}`,
        request: { model: `rehearsal/${id}`, ...question, ...(id.startsWith('stall') && { timeout: 0.5 }) },
        ...(id !== 'default' && { mayFail: true as const }),
      })),
  );
}

const user = (content: unknown): object => ({ role: 'user', content });
const call = { type: 'function_call', id: 'fc_1', call_id: 'call_1', name: 'get_weather', arguments: '{"city":"Oslo"}' };
const text = { type: 'input_text', text: 'What is this?' };

/** Inputs that clients send. */
const inputs: Readonly<Record<string, unknown>> = {
  'system and developer': [
    { role: 'system', content: 'Be brief' },
    { role: 'developer', content: [{ type: 'input_text', text: 'Be kind' }] },
    user('Hi'),
  ],
  'three turns': [user('One'), { role: 'assistant', content: 'Two' }, user('Three')],
  phases: [
    user('One'),
    { type: 'message', role: 'assistant', phase: 'commentary', content: [{ type: 'output_text', text: 'Let me see.' }] },
    { type: 'message', role: 'assistant', phase: 'final_answer', content: 'It is two.' },
    user('Three'),
  ],
  'an image': [user([text, { type: 'input_image', image_url: tinyImage }])],
  'an image with detail, and a file': [
    user([
      text,
      { type: 'input_image', image_url: tinyImage, detail: 'low' },
      { type: 'input_file', filename: 'a.txt', file_data: 'data:text/plain;base64,aGk=' },
    ]),
  ],
  'the output of a call': [user('Oslo?'), call, { type: 'function_call_output', call_id: 'call_1', output: 'minus 4' }],
  'an output of parts': [
    user('Oslo?'),
    call,
    {
      type: 'function_call_output',
      call_id: 'call_1',
      output: [text, { type: 'input_image', image_url: tinyImage, detail: 'auto' }],
    },
  ],
  'reasoning of another server': [
    user('One'),
    { type: 'reasoning', id: 'rs_1', summary: [], encrypted_content: 'gAAAA' },
    { role: 'assistant', content: 'Two' },
    user('Three'),
  ],
};

/** Settings that come back in the response. */
const settings: Readonly<Record<string, object>> = {
  'every scalar': {
    ...{
      instructions: 'Be brief',
      metadata: { a: 'b' },
      temperature: 0.5,
      top_p: 0.25,
      max_output_tokens: 4000,
      max_tool_calls: 3,
    },
    ...{
      truncation: 'auto',
      service_tier: 'flex',
      user: 'u',
      safety_identifier: 's',
      prompt_cache_key: 'k',
      prompt_cache_retention: '24h',
    },
    ...{
      presence_penalty: 0.5,
      frequency_penalty: -0.5,
      top_logprobs: 3,
      include: ['message.output_text.logprobs'],
      text: { verbosity: 'low' },
    },
  },
  'every null': {
    ...{
      instructions: null,
      metadata: null,
      temperature: null,
      top_p: null,
      max_output_tokens: null,
      tools: null,
      tool_choice: null,
    },
    ...{
      text: null,
      reasoning: null,
      store: null,
      include: null,
      previous_response_id: null,
      truncation: null,
      service_tier: null,
    },
  },
  'a conversation': { conversation: 'all about the sea' },
  'a conversation by its object': { conversation: { id: 'all about the sea' } },
  'a token limit': { max_output_tokens: 16 },
  'a forced function': { tools: [weather], tool_choice: { type: 'function', name: 'get_weather' } },
  'allowed functions': {
    tools: [weather, clock],
    tool_choice: { type: 'allowed_tools', tools: [{ type: 'function', name: 'get_time' }] },
  },
  'a JSON object': { text: { format: { type: 'json_object' } } },
  'a schema without a description': { text: { format: { type: 'json_schema', name: 'x', schema: citySchema } } },
  'web search': { model: 'rehearsal/citations', tools: [{ type: 'web_search' }], include: ['web_search_call.action.sources'] },
  'a hosted tool is chosen': {
    model: 'rehearsal/citations',
    tools: [{ type: 'web_search' }],
    tool_choice: { type: 'web_search' },
  },
  'allowed tools of other kinds': {
    tools: [weather, { type: 'custom', name: 'patch' }],
    tool_choice: {
      type: 'allowed_tools',
      mode: 'auto',
      tools: [
        { type: 'custom', name: 'patch' },
        { type: 'function', name: 'get_weather' },
      ],
    },
  },
  ...Object.fromEntries(
    ['none', 'minimal', 'low', 'medium', 'high', 'xhigh', 'max'].map((effort) => [`effort ${effort}`, { reasoning: { effort } }]),
  ),
};

export function requestScenarios(): Scenario[] {
  const model = 'rehearsal/default';
  return [
    ...Object.entries(inputs).map(([name, input]) => ({ name, request: { model, input } })),
    ...Object.entries(settings).map(([name, chosen]) => ({ name, request: { model, input: 'Tell me of the sea', ...chosen } })),
  ];
}

/** What is refused before a model is asked. */
export const refusedRequests: readonly Scenario[] = [
  { name: 'no input', request: { model: 'rehearsal/default' } },
  { name: 'an unknown model', request: { model: 'rehearsal/nobody', input: 'Hi' } },
  { name: 'a wrong type', request: { model: 'rehearsal/default', input: [user([{ type: 'input_text', text: 7 }])] } },
  { name: 'an unknown previous response', request: { input: 'Hi', previous_response_id: 'resp_nobody' } },
  { name: 'a call without its output', request: { input: [call] } },
  { name: 'a body that is a list', request: [] },
];
