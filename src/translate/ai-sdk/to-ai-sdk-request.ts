import type { Loss, Translated } from '../../model/loss.ts';
import type { ModelRequest } from '../../model/model-request.ts';
import type { AiSdkCallOptions, AiSdkResponseFormat, AiSdkToolChoice } from '../../protocol/ai-sdk/call-options.ts';
import type { ReportLoss } from '../chat/to-chat-content.ts';
import { createToolNames, type ToolNames } from '../tool-names.ts';
import type { AiSdkProfile } from './ai-sdk-profile.ts';
import { toAiSdkOptions } from './to-ai-sdk-options.ts';
import { toAiSdkPrompt } from './to-ai-sdk-prompt.ts';

export interface AiSdkRequestOptions {
  readonly profile: AiSdkProfile;
  /** Whether the model's server fetches such a URL by itself. */
  readonly acceptsUrl: (mediaType: string, url: string) => boolean;
}

/** What a LanguageModelV3 is called with. What the common interface has no place for goes into the provider's own options where they are known, and is a loss elsewhere; what a provider then cannot do it says itself, in warnings. */
export function toAiSdkRequest(
  request: ModelRequest,
  { profile, acceptsUrl }: AiSdkRequestOptions,
): Translated<AiSdkCallOptions> {
  const losses: Loss[] = [];
  const report: ReportLoss = (loss) => losses.push(loss);
  const toolNames = aiSdkToolNames(request);
  const providerOptions = toAiSdkOptions(request, profile, report);
  reportUnsaid(request, report);
  const value: AiSdkCallOptions = {
    prompt: toAiSdkPrompt(request, { profile, acceptsUrl, toolNames, report }),
    ...toSampling(request),
    ...toTools(request, toolNames),
    ...toFormat(request),
    ...(providerOptions !== undefined && { providerOptions }),
  };
  return { value, losses };
}

/** The aliases of one request: of its tools and of every call in its history. The same object reads the answer. The rule is what all providers accept. */
export function aiSdkToolNames(request: ModelRequest): ToolNames {
  const called = request.input.flatMap((item) => (item.type === 'call' ? [item.name] : []));
  const rule = { pattern: /^[a-zA-Z_][a-zA-Z0-9_-]*$/, maxLength: 64 };
  return createToolNames([...request.tools.map(({ name }) => name), ...called], rule);
}

function reportUnsaid({ topLogprobs, hostedTools }: ModelRequest, report: ReportLoss): void {
  if (topLogprobs !== null)
    report({ path: 'top_logprobs', action: 'dropped', reason: 'providers of the AI SDK report no log probabilities' });
  for (const { path, type } of hostedTools) {
    const reason = `providers of the AI SDK are offered no tool of type ${type}`;
    report({ path: `${path}.type`, action: 'dropped', code: 'unsupported_value', reason });
  }
}

function toSampling(request: ModelRequest): Partial<AiSdkCallOptions> {
  const { maxOutputTokens, temperature, topP, topK, presencePenalty, frequencyPenalty, seed, stop } = request;
  return {
    ...(maxOutputTokens !== null && { maxOutputTokens }),
    ...(temperature !== null && { temperature }),
    ...(topP !== null && { topP }),
    ...(topK !== null && { topK }),
    ...(presencePenalty !== null && { presencePenalty }),
    ...(frequencyPenalty !== null && { frequencyPenalty }),
    ...(seed !== null && { seed }),
    ...(stop.length > 0 && { stopSequences: [...stop] }),
  };
}

function toTools({ tools, toolChoice }: ModelRequest, toolNames: ToolNames): Partial<AiSdkCallOptions> {
  const isNarrowed = toolChoice.type === 'allowed' || toolChoice.type === 'required-of';
  const offered = isNarrowed ? tools.filter(({ name }) => toolChoice.names.includes(name)) : tools;
  if (offered.length === 0) return {};
  return {
    tools: offered.map(({ name, description, parameters, strict }) => ({
      type: 'function',
      name: toolNames.toAlias(name),
      ...(description !== null && { description }),
      inputSchema: parameters ?? { type: 'object', properties: {} },
      ...(strict && { strict }),
    })),
    toolChoice: toChoice(toolChoice, toolNames),
  };
}

function toChoice(choice: ModelRequest['toolChoice'], toolNames: ToolNames): AiSdkToolChoice {
  switch (choice.type) {
    case 'none':
    case 'auto':
    case 'required':
      return { type: choice.type };
    case 'allowed':
      return { type: 'auto' };
    case 'required-of': {
      const [only, ...others] = choice.names;
      return only !== undefined && others.length === 0
        ? { type: 'tool', toolName: toolNames.toAlias(only) }
        : { type: 'required' };
    }
  }
}

function toFormat({ format }: ModelRequest): { responseFormat?: AiSdkResponseFormat } {
  if (format.type === 'text') return {};
  if (format.type === 'json-object') return { responseFormat: { type: 'json' } };
  const { name, description, schema } = format;
  return { responseFormat: { type: 'json', name, ...(description !== null && { description }), schema } };
}
