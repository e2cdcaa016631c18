import type { Loss, Translated } from '../../model/loss.ts';
import type { ModelRequest, TextFormat } from '../../model/model-request.ts';
import type { BodyFormat, CreateResponseBody } from '../../protocol/responses/create-body.ts';
import type { ReportLoss } from '../chat/to-chat-content.ts';
import { createToolNames, type ToolNames } from '../tool-names.ts';
import { isThinkingModel, type ResponsesProfile } from './responses-profile.ts';
import { toResponsesInput } from './to-responses-input.ts';
import { toResponsesTools } from './to-responses-tools.ts';

/**
 * The body of `POST {base}/responses`. Nothing that the server would have to remember: always the whole history and `store: false`, reasoning travels sealed. What the Responses API has no
 * word for is a loss, unless this server is known to take it.
 */
export function toResponsesRequest(request: ModelRequest, profile: ResponsesProfile): Translated<CreateResponseBody> {
  const losses: Loss[] = [];
  const report: ReportLoss = (loss) => losses.push(loss);
  const options = { profile, toolNames: responsesToolNames(request), report };
  const { instructions, stream } = request;
  const value: CreateResponseBody = {
    model: request.model,
    ...(instructions !== null && { instructions }),
    input: toResponsesInput(request, options),
    ...toResponsesTools(request, options),
    ...toText(request),
    ...toReasoning(request, report),
    ...toSampling(request, profile, report),
    ...toService(request),
    ...toInclude(request, profile),
    store: false,
    ...(stream && { stream }),
    ...(stream && profile.pads && { stream_options: { include_obfuscation: false } }),
  };
  return { value, losses };
}

/** The aliases of one request: of its tools and of every call in its history. The same object reads the answer. */
export function responsesToolNames(request: ModelRequest): ToolNames {
  const called = request.input.flatMap((item) => (item.type === 'call' ? [item.name] : []));
  const rule = { pattern: /^[a-zA-Z0-9_-]+$/, maxLength: 64 };
  return createToolNames([...request.tools.map(({ name }) => name), ...called], rule);
}

function toText({ format, verbosity }: ModelRequest): Pick<CreateResponseBody, 'text'> {
  if (format.type === 'text') return verbosity === null ? {} : { text: { verbosity } };
  return { text: { format: toFormat(format), ...(verbosity !== null && { verbosity }) } };
}

function toFormat(format: Exclude<TextFormat, { type: 'text' }>): BodyFormat {
  if (format.type === 'json-object') return { type: 'json_object' };
  const { name, description, schema, strict } = format;
  return { type: 'json_schema', name, ...(description !== null && { description }), schema, strict };
}

/** Tokens to think for have no field here: the nearest effort is taken. */
function toReasoning({ reasoning, thinkingBudget }: ModelRequest, report: ReportLoss): Pick<CreateResponseBody, 'reasoning'> {
  const { summary } = reasoning;
  const effort = effortForBudget(thinkingBudget) ?? reasoning.effort;
  if (thinkingBudget !== null && thinkingBudget >= 0)
    report({
      path: 'thinking_budget',
      action: 'approximated',
      reason: 'this protocol has no budget of tokens to think for; the nearest effort was taken',
    });
  if (effort === null && summary === null) return {};
  return { reasoning: { ...(effort !== null && { effort }), ...(summary !== null && { summary }) } };
}

/** A negative budget leaves it to the model. */
function effortForBudget(budget: number | null): string | null {
  if (budget === null || budget < 0) return null;
  if (budget === 0) return 'none';
  if (budget <= 2_048) return 'low';
  return budget <= 12_288 ? 'medium' : 'high';
}

function toSampling(request: ModelRequest, profile: ResponsesProfile, report: ReportLoss): Partial<CreateResponseBody> {
  const { maxOutputTokens, temperature, topP, topLogprobs } = request;
  return {
    ...(maxOutputTokens !== null && { max_output_tokens: maxOutputTokens }),
    ...(temperature !== null && { temperature }),
    ...(topP !== null && { top_p: topP }),
    ...(topLogprobs !== null && topLogprobs > 0 && { top_logprobs: topLogprobs }),
    ...toForeignSampling(request, profile, report),
  };
}

/** What OpenAI's Responses API does not have, and some servers take. */
function toForeignSampling(request: ModelRequest, profile: ResponsesProfile, report: ReportLoss): Partial<CreateResponseBody> {
  const { presencePenalty, frequencyPenalty, topK, seed, stop } = request;
  const take = <T>(value: T | null, path: string, isKnown: boolean): value is T => {
    if (value !== null && !isKnown)
      report({ path, action: 'dropped', reason: 'the Responses API of this server has no such setting' });
    return value !== null && isKnown;
  };
  return {
    ...(take(presencePenalty, 'presence_penalty', profile.penalties) && { presence_penalty: presencePenalty }),
    ...(take(frequencyPenalty, 'frequency_penalty', profile.penalties) && { frequency_penalty: frequencyPenalty }),
    ...(take(topK, 'top_k', profile.topK) && { top_k: topK }),
    ...(take(seed, 'seed', profile.stopAndSeed) && { seed }),
    ...(take(stop.length > 0 ? stop : null, 'stop', profile.stopAndSeed) && { stop: [...stop] }),
  };
}

function toService({ serviceTier, promptCacheKey, safetyIdentifier }: ModelRequest): Partial<CreateResponseBody> {
  return {
    ...(serviceTier !== null && { service_tier: serviceTier }),
    ...(promptCacheKey !== null && { prompt_cache_key: promptCacheKey }),
    ...(safetyIdentifier !== null && { safety_identifier: safetyIdentifier }),
  };
}

function toInclude(request: ModelRequest, profile: ResponsesProfile): Pick<CreateResponseBody, 'include'> {
  const include = [
    ...(wantsSealed(request, profile) ? ['reasoning.encrypted_content'] : []),
    ...(request.topLogprobs === null ? [] : ['message.output_text.logprobs']),
  ];
  return include.length === 0 ? {} : { include };
}

/** The names of Azure's models are its customer's, so there the request has to tell too. */
function wantsSealed({ model, reasoning }: ModelRequest, { sealedReasoning, vendor }: ResponsesProfile): boolean {
  if (sealedReasoning !== 'by-model') return sealedReasoning === 'always';
  const asksToThink = (reasoning.effort ?? reasoning.summary) !== null && reasoning.effort !== 'none';
  return isThinkingModel(model) || (vendor === 'azure' && asksToThink);
}
