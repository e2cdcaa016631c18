import type { StoredItem, StoredResponse } from '../src/model/response-store.ts';
import type { OutputItem } from '../src/protocol/responses/items.ts';
import type { ResponseResource } from '../src/protocol/responses/response.ts';

/** What a test says about a stored response; the rest is filled in. */
export interface SampleOptions {
  readonly id: string;
  readonly owner: string;
  readonly previousResponseId?: string | null;
  readonly conversation?: string | null;
  readonly status?: ResponseResource['status'];
  readonly createdAt?: number;
  readonly input?: readonly StoredItem[];
  readonly output?: readonly OutputItem[];
  readonly states?: StoredResponse['states'];
  readonly events?: string;
}

/** A whole stored response with plausible values everywhere. */
export function sampleStored(options: SampleOptions): StoredResponse {
  const { id, owner, createdAt = 1_700_000_000, previousResponseId = null, status = 'completed' } = options;
  return {
    id,
    owner,
    createdAt,
    previousResponseId,
    conversation: options.conversation ?? null,
    response: { ...sampleResponse(id, createdAt, previousResponseId, options.output ?? []), status },
    input: options.input ?? [],
    states: options.states ?? {},
    events: options.events ?? '[["text","hello"]]',
    losses: [{ path: 'tools[0]', action: 'dropped', reason: 'no such tool here' }],
  };
}

export function userMessage(id: string, text: string): StoredItem {
  return { id, type: 'message', role: 'user', content: [{ type: 'input_text', text }] };
}

export function assistantMessage(id: string, text: string): OutputItem {
  return {
    id,
    type: 'message',
    status: 'completed',
    role: 'assistant',
    content: [{ type: 'output_text', text, annotations: [], logprobs: [] }],
  };
}

function sampleResponse(id: string, createdAt: number, previous: string | null, output: readonly OutputItem[]): ResponseResource {
  return {
    id,
    object: 'response',
    created_at: createdAt,
    status: 'completed',
    background: false,
    completed_at: createdAt + 1,
    error: null,
    frequency_penalty: 0,
    incomplete_details: null,
    instructions: null,
    max_output_tokens: null,
    max_tool_calls: null,
    model: 'rehearsal/echo',
    moderation: null,
    output: [...output],
    parallel_tool_calls: true,
    presence_penalty: 0,
    previous_response_id: previous,
    prompt_cache_key: null,
    prompt_cache_retention: null,
    reasoning: { effort: null, summary: null },
    safety_identifier: null,
    service_tier: 'default',
    store: true,
    temperature: 1,
    text: { format: { type: 'text' }, verbosity: 'medium' },
    tool_choice: 'auto',
    tools: [{ type: 'function', name: 'look_up', parameters: { type: 'object', properties: {} } }],
    top_logprobs: 0,
    top_p: 1,
    truncation: 'disabled',
    usage: {
      input_tokens: 3,
      input_tokens_details: { cached_tokens: 0, cache_write_tokens: 0 },
      output_tokens: 5,
      output_tokens_details: { reasoning_tokens: 0 },
      total_tokens: 8,
    },
    user: null,
    metadata: { topic: 'tests' },
  };
}
