import type { Loss, Translated } from '../../model/loss.ts';
import type { ModelRequest, TextFormat } from '../../model/model-request.ts';
import type { BodyFormat, CreateResponseBody } from '../../protocol/responses/create-body.ts';
import { neverThinks, withoutRefusedSampling } from '../chat/openai-models.ts';
import type { ReportLoss } from '../chat/to-chat-content.ts';
import { toShortIdentifier } from '../short-identifier.ts';
import { createToolNames, type ToolNames } from '../tool-names.ts';
import { isThinkingModel, type ResponsesProfile } from './responses-profile.ts';
import { toResponsesInput } from './to-responses-input.ts';
import { toResponsesReasoning } from './to-responses-reasoning.ts';
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
  const drawn = profile.hasOpenaiModels ? withoutRefusedSampling(request, report) : request;
  const value: CreateResponseBody = {
    model: request.model,
    ...(instructions !== null && { instructions }),
    input: toResponsesInput(request, options),
    ...toResponsesTools(request, options),
    ...toText(request),
    ...toResponsesReasoning(request, profile, report),
    ...toSampling(drawn, profile, report),
    ...toService(request),
    ...toInclude(drawn, profile),
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

function toSampling(request: ModelRequest, profile: ResponsesProfile, report: ReportLoss): Partial<CreateResponseBody> {
  const { maxOutputTokens, temperature, topP, topLogprobs } = request;
  return {
    ...(maxOutputTokens !== null && { max_output_tokens: toOutputTokens(maxOutputTokens, profile, report) }),
    ...(temperature !== null && { temperature }),
    ...(topP !== null && { top_p: topP }),
    ...(topLogprobs !== null && topLogprobs > 0 && { top_logprobs: topLogprobs }),
    ...toForeignSampling(request, profile, report),
  };
}

/** Clients of other APIs ask for a single token to see whether a key works. */
function toOutputTokens(asked: number, { leastOutputTokens: least }: ResponsesProfile, report: ReportLoss): number {
  if (asked >= least) return asked;
  const reason = `this server takes no limit below ${String(least)} tokens`;
  report({ path: 'max_output_tokens', action: 'approximated', reason });
  return least;
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
    ...(promptCacheKey !== null && { prompt_cache_key: toShortIdentifier(promptCacheKey) }),
    ...(safetyIdentifier !== null && { safety_identifier: toShortIdentifier(safetyIdentifier) }),
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
  const { effort, summary, isWish = false } = reasoning;
  const asksToThink = (effort ?? (isWish ? null : summary)) !== null && effort !== 'none';
  return isThinkingModel(model) || (vendor === 'azure' && asksToThink && !neverThinks(model));
}
