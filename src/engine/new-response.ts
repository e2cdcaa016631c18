import type { CreateResponseRequest, TextFormatParam, ToolChoiceParam, ToolParam } from '../protocol/responses/request.ts';
import type { ResponseResource } from '../protocol/responses/response.ts';

/**
 * The response object as `response.created` shows it: every key of protocol.md §1.3 with the value that is in effect, numbers where Open Responses forbids null, tools and
 * tool_choice normalised.
 */
export function newResponse(
  request: CreateResponseRequest,
  facts: { readonly id: string; readonly createdAt: number; readonly model: string },
): ResponseResource {
  return {
    id: facts.id,
    object: 'response',
    created_at: facts.createdAt,
    status: 'in_progress',
    background: false,
    completed_at: null,
    ...(request.conversation !== null && { conversation: { id: request.conversation } }),
    error: null,
    frequency_penalty: request.frequency_penalty ?? 0,
    incomplete_details: null,
    instructions: request.instructions,
    max_output_tokens: request.max_output_tokens,
    max_tool_calls: request.max_tool_calls,
    model: facts.model,
    moderation: null,
    output: [],
    parallel_tool_calls: request.parallel_tool_calls,
    presence_penalty: request.presence_penalty ?? 0,
    previous_response_id: request.previous_response_id,
    prompt_cache_key: request.prompt_cache_key,
    prompt_cache_retention: request.prompt_cache_retention,
    reasoning: request.reasoning ?? { effort: null, summary: null },
    safety_identifier: request.safety_identifier,
    // What OpenAI shows while it runs; the tier that was used follows at the end.
    service_tier: 'auto',
    store: request.store,
    temperature: request.temperature ?? 1,
    text: { format: echoFormat(request.text.format), verbosity: request.text.verbosity ?? 'medium' },
    tool_choice: echoToolChoice(request.tool_choice),
    tools: request.tools.map(echoTool),
    top_logprobs: request.top_logprobs ?? 0,
    top_p: request.top_p ?? 1,
    // The effective value: the history is never shortened.
    truncation: 'disabled',
    usage: null,
    user: request.user,
    metadata: request.metadata,
  };
}

function echoFormat(format: TextFormatParam): ResponseResource['text']['format'] {
  if (format.type !== 'json_schema') return { type: format.type };
  return {
    type: 'json_schema',
    description: format.description,
    name: format.name,
    schema: format.schema,
    strict: format.strict,
  };
}

function echoToolChoice(choice: ToolChoiceParam): ResponseResource['tool_choice'] {
  if (typeof choice === 'string') return choice;
  switch (choice.type) {
    case 'function':
      return { type: 'function', name: choice.name };
    case 'allowed_tools':
      return { type: 'allowed_tools', mode: choice.mode, tools: choice.tools };
    case 'other':
      // It cannot be forced (a reported loss): what is in effect is auto.
      return 'auto';
    default:
      return choice satisfies never;
  }
}

function echoTool(tool: ToolParam): ResponseResource['tools'][number] {
  if (tool.type === 'other') return tool.raw;
  return { type: 'function', name: tool.name, description: tool.description, parameters: tool.parameters, strict: tool.strict };
}
