import type { Loss, Translated } from '../model/loss.ts';
import type { InputItem, ModelRequest, ReasoningSettings, TextFormat, TurnSession } from '../model/model-request.ts';
import type { CreateResponseRequest, TextFormatParam } from '../protocol/responses/request.ts';
import { toOfferedTools } from './to-offered-tools.ts';

/** The whole turn in our own words. `input` is the resolved history; `model` the upstream's id. */
export function toModelRequest(
  request: CreateResponseRequest,
  {
    model,
    input,
    session,
  }: { readonly model: string; readonly input: readonly InputItem[]; readonly session: TurnSession | null },
): Translated<ModelRequest> {
  const offered = toOfferedTools(request);
  const losses: Loss[] = [...offered.losses];
  if (request.max_tool_calls !== null && offered.value.hostedTools.length > 0) {
    losses.push({
      path: 'max_tool_calls',
      action: 'dropped',
      reason: 'the model server decides itself how often it uses its built-in tools',
    });
  }
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
    ...offered.value,
    parallelToolCalls: request.parallel_tool_calls,
    format: toFormat(request.text.format),
    verbosity: request.text.verbosity,
    reasoning: toReasoning(request),
    thinkingBudget: request.thinking_budget,
    maxOutputTokens: request.max_output_tokens,
    temperature: request.temperature,
    topP: request.top_p,
    topK: request.top_k,
    stop: request.stop,
    seed: request.seed,
    presencePenalty: request.presence_penalty,
    frequencyPenalty: request.frequency_penalty,
    topLogprobs: request.include.includes('message.output_text.logprobs') ? (request.top_logprobs ?? 0) : null,
    serviceTier: request.service_tier,
    promptCacheKey: request.prompt_cache_key,
    safetyIdentifier: request.safety_identifier ?? request.user,
    stream: request.stream,
    session,
  };
  return { value, losses };
}

function toReasoning({ reasoning, wishes_summary }: CreateResponseRequest): ReasoningSettings {
  const asked = { effort: reasoning?.effort ?? null, summary: reasoning?.summary ?? null };
  return wishes_summary && asked.summary === null ? { ...asked, summary: 'auto', isWish: true } : asked;
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
