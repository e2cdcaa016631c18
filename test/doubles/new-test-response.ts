import { newResponse } from '../../src/engine/new-response.ts';
import type { CreateResponseRequest } from '../../src/protocol/responses/request.ts';
import type { ResponseResource } from '../../src/protocol/responses/response.ts';

/** A parsed request with every default filled in. */
export function newTestRequest(changes: Partial<CreateResponseRequest> = {}): CreateResponseRequest {
  return {
    model: 'scripted/one',
    input: [{ type: 'message', role: 'user', content: [{ type: 'input_text', text: 'Hello' }] }],
    instructions: null,
    previous_response_id: null,
    conversation: null,
    store: true,
    background: false,
    stream: true,
    include: [],
    tools: [],
    tool_choice: 'auto',
    parallel_tool_calls: true,
    max_tool_calls: null,
    max_output_tokens: null,
    temperature: null,
    top_p: null,
    top_logprobs: null,
    presence_penalty: null,
    frequency_penalty: null,
    text: { format: { type: 'text' }, verbosity: null },
    reasoning: null,
    truncation: 'disabled',
    metadata: {},
    service_tier: null,
    safety_identifier: null,
    prompt_cache_key: null,
    prompt_cache_retention: null,
    user: null,
    timeout: null,
    ...changes,
  };
}

/** A response that has just been created: `resp_test`, at second 100. */
export function newTestResponse(): ResponseResource {
  return newResponse(newTestRequest(), { id: 'resp_test', createdAt: 100, model: 'scripted/one' });
}
