import type { Loss, Translated } from '../model/loss.ts';
import type { FunctionTool, HostedTool, InputItem, ModelRequest, TextFormat, ToolChoice } from '../model/model-request.ts';
import type { CreateResponseRequest, TextFormatParam, ToolChoiceParam, ToolParam } from '../protocol/responses/request.ts';

/** The whole turn in our own words. `input` is the resolved history; `model` the upstream's id. */
export function toModelRequest(
  request: CreateResponseRequest,
  model: string,
  input: readonly InputItem[],
): Translated<ModelRequest> {
  const { tools, hostedTools } = toTools(request.tools);
  const choice = toToolChoice(request.tool_choice);
  const losses: Loss[] = [...choice.losses];
  if (request.truncation === 'auto') {
    losses.push({
      path: 'truncation',
      action: 'dropped',
      reason: 'the history is never shortened; a request that is too long fails with context_length_exceeded',
    });
  }
  const value: ModelRequest = {
    model,
    instructions: request.instructions === '' ? null : request.instructions,
    input,
    tools:
      choice.value.type === 'required-of' || choice.value.type === 'allowed'
        ? tools.filter(isNamedIn(choice.value.names))
        : tools,
    hostedTools,
    toolChoice: choice.value,
    parallelToolCalls: request.parallel_tool_calls,
    format: toFormat(request.text.format),
    verbosity: request.text.verbosity,
    reasoning: { effort: request.reasoning?.effort ?? null, summary: request.reasoning?.summary ?? null },
    maxOutputTokens: request.max_output_tokens,
    temperature: request.temperature,
    topP: request.top_p,
    presencePenalty: request.presence_penalty,
    frequencyPenalty: request.frequency_penalty,
    topLogprobs: request.include.includes('message.output_text.logprobs') ? (request.top_logprobs ?? 0) : null,
    serviceTier: request.service_tier,
    promptCacheKey: request.prompt_cache_key,
    safetyIdentifier: request.safety_identifier ?? request.user,
    stream: request.stream,
  };
  return { value, losses };
}

function isNamedIn(names: readonly string[]): (tool: FunctionTool) => boolean {
  return (tool) => names.includes(tool.name);
}

function toTools(params: readonly ToolParam[]): { tools: FunctionTool[]; hostedTools: HostedTool[] } {
  const tools: FunctionTool[] = [];
  const hostedTools: HostedTool[] = [];
  params.forEach((tool, at) => {
    const path = `tools[${String(at)}]`;
    if (tool.type === 'other') hostedTools.push({ type: tool.toolType, settings: tool.raw, path });
    else tools.push({ name: tool.name, description: tool.description, parameters: tool.parameters, strict: tool.strict, path });
  });
  return { tools, hostedTools };
}

function toToolChoice(choice: ToolChoiceParam): Translated<ToolChoice> {
  if (typeof choice === 'string') return { value: { type: choice }, losses: [] };
  switch (choice.type) {
    case 'function':
      return { value: { type: 'required-of', names: [choice.name] }, losses: [] };
    case 'allowed_tools': {
      const names = choice.tools.flatMap(({ type, name }) => (type === 'function' && name !== undefined ? [name] : []));
      if (names.length > 0) return { value: { type: choice.mode === 'required' ? 'required-of' : 'allowed', names }, losses: [] };
      return {
        value: { type: 'none' },
        losses: [
          { path: 'tool_choice', action: 'approximated', reason: 'it allows only tools that this model cannot be offered' },
        ],
      };
    }
    case 'other': {
      const reason = `a choice of type ${choice.toolType} cannot be forced here; the model decides by itself`;
      return { value: { type: 'auto' }, losses: [{ path: 'tool_choice', action: 'approximated', reason }] };
    }
  }
}

function toFormat(format: TextFormatParam): TextFormat {
  switch (format.type) {
    case 'text':
      return { type: 'text' };
    case 'json_object':
      return { type: 'json-object' };
    case 'json_schema':
      return {
        type: 'json-schema',
        name: format.name,
        description: format.description,
        schema: format.schema,
        strict: format.strict,
      };
  }
}
