import type { Loss, Translated } from '../../model/loss.ts';
import type { ModelRequest } from '../../model/model-request.ts';
import type {
  AnthropicBlock,
  AnthropicCacheControl,
  AnthropicEffort,
  AnthropicImageBlock,
  AnthropicRequest,
  AnthropicTextBlock,
  AnthropicTool,
  AnthropicToolChoice,
  AnthropicToolResultBlock,
} from '../../protocol/anthropic/request.ts';
import type { ToolNames } from '../tool-names.ts';
import { mapAnthropicModelTraits, type AnthropicModelTraits } from './anthropic-model-traits.ts';
import type { ReportLoss } from './to-anthropic-content.ts';
import { toAnthropicFormat, type AnthropicFormat } from './to-anthropic-format.ts';
import { toAnthropicMessages, type AnthropicHistory } from './to-anthropic-messages.ts';
import { toAnthropicSampling, toAnthropicSettings } from './to-anthropic-settings.ts';
import {
  planThinking,
  thinkingPath,
  toThinkingFields,
  withoutBudget,
  type AnthropicThinkingFields,
  type ThinkingPlan,
} from './to-anthropic-thinking.ts';
import { answerTool, createAnthropicToolNames, toAnthropicToolChoice, toAnthropicTools } from './to-anthropic-tools.ts';

export interface AnthropicRequestOptions {
  /** Whether markers are set that let the server keep what the next turn repeats (default). */
  readonly marksCache?: boolean;
}

/** A translated turn, with what is needed to read its answer. */
export interface AnthropicCall {
  readonly body: AnthropicRequest;
  readonly names: ToolNames;
  /** The function whose arguments are the text of the answer, or null. */
  readonly answerTool: string | null;
  /** The server runs tools by itself, so it may pause. */
  readonly hasServerTools: boolean;
}

/**
 * A turn → the body of `POST /v1/messages` (backends.md D). `prompt_cache_key` is left out without a loss: Anthropic caches by content. With thinking on a call cannot be demanded:
 * thinking gives way.
 */
export function toAnthropicRequest(request: ModelRequest, options: AnthropicRequestOptions = {}): Translated<AnthropicCall> {
  const losses: Loss[] = [];
  const report: ReportLoss = (loss) => losses.push(loss);
  const traits = mapAnthropicModelTraits(request.model);
  const names = createAnthropicToolNames(request, traits);
  const context: Context = { request, traits, names, report };
  const tools = settleTools(context);
  const { fields, history } = settleThinking(context, tools.plan);
  const system = [...history.system, ...toInstructions(tools.format)];
  const { thinking } = fields;
  const isThinking = thinking !== undefined && thinking.type !== 'disabled';
  const body: AnthropicRequest = {
    model: request.model,
    max_tokens: fields.maxTokens,
    ...(system.length > 0 && { system }),
    messages: history.messages,
    ...(tools.tools.length > 0 && { tools: tools.tools }),
    ...(tools.choice !== undefined && { tool_choice: tools.choice }),
    ...(thinking !== undefined && { thinking }),
    ...toOutputConfig(fields.effort, tools.format),
    ...toAnthropicSampling(request, { traits, isThinking, report }),
    ...toAnthropicSettings(request, report),
    ...(request.stream && { stream: true }),
  };
  if (options.marksCache ?? true) markCache(body);
  const hasServerTools = tools.tools.some((tool) => tool.type !== undefined && tool.type !== 'custom');
  return { value: { body, names, answerTool: tools.format.type === 'tool' ? answerTool : null, hasServerTools }, losses };
}

interface Context {
  readonly request: ModelRequest;
  readonly traits: AnthropicModelTraits;
  readonly names: ToolNames;
  readonly report: ReportLoss;
}

interface SettledTools {
  readonly tools: AnthropicTool[];
  readonly choice: AnthropicToolChoice | undefined;
  readonly format: AnthropicFormat;
  readonly plan: ThinkingPlan;
}

/** Tools, their choice, the format of the answer and thinking depend on each other. */
function settleTools(context: Context): SettledTools {
  const { request, traits, names, report } = context;
  const asked = planThinking(request, traits, report);
  const tools = toAnthropicTools(request, { names, traits, report });
  const canForceTool = tools.length === 0 && !wantsThinking(asked) && traits.canTurnThinkingOff;
  const format = toAnthropicFormat(request, { traits, canForceTool, report });
  if (format.type === 'tool') {
    const choice = { type: 'tool', name: answerTool, disable_parallel_tool_use: true } as const;
    return { tools: [format.tool], choice, format, plan: traits.thinking === 'adaptive' ? { type: 'off' } : asked };
  }
  const choice = tools.length === 0 ? undefined : toAnthropicToolChoice(request, names);
  return { tools, format, ...settleChoice(context, asked, choice) };
}

/** Of a demand for a call and thinking one has to give way. */
function settleChoice(
  { request, traits, report }: Context,
  asked: ThinkingPlan,
  choice: AnthropicToolChoice | undefined,
): Pick<SettledTools, 'choice' | 'plan'> {
  const isDemand = choice?.type === 'any' || choice?.type === 'tool';
  if (isDemand && !traits.canTurnThinkingOff) {
    const reason = 'this model always thinks and then takes no demand for a call; the gateway checks the answer';
    report({ path: 'tool_choice', action: 'emulated', reason });
    const free = request.parallelToolCalls ? undefined : ({ type: 'auto', disable_parallel_tool_use: true } as const);
    return { choice: free, plan: asked };
  }
  if (!isDemand || !wantsThinking(asked)) return { choice, plan: asked };
  const reason = 'Anthropic cannot think where a call is demanded, so thinking is off for this turn';
  report({ path: thinkingPath(request), action: 'dropped', reason });
  return { choice, plan: { type: 'off' } };
}

function wantsThinking({ type }: ThinkingPlan): boolean {
  return type === 'enabled' || type === 'adaptive';
}

/** The thinking that the history allows, and the history that goes with it. */
function settleThinking(
  context: Context,
  plan: ThinkingPlan,
): { readonly fields: AnthropicThinkingFields; readonly history: AnthropicHistory } {
  const { request, traits, names } = context;
  const losses: Loss[] = [];
  const report: ReportLoss = (loss) => losses.push(loss);
  const fields = toThinkingFields(request, plan, { traits, report });
  const kind = fields.thinking?.type;
  const willThink = kind === 'enabled' || kind === 'adaptive';
  const history = toAnthropicMessages(request, { names, traits, leavesThinkingOut: kind === 'disabled', willThink, report });
  if (kind === 'enabled' && history.lacksThinking) {
    const reason = 'the model cannot think on with a budget where the thinking that led to its calls is missing';
    context.report({ path: thinkingPath(request), action: traits.thinking === 'adaptive' ? 'approximated' : 'dropped', reason });
    return settleThinking(context, withoutBudget(plan, traits));
  }
  losses.forEach(context.report);
  return { fields, history };
}

function toOutputConfig(effort: AnthropicEffort | null, format: AnthropicFormat): Pick<AnthropicRequest, 'output_config'> {
  if (effort === null && format.type !== 'native') return {};
  const config = { ...(effort !== null && { effort }), ...(format.type === 'native' && { format: format.format }) };
  return { output_config: config };
}

function toInstructions(format: AnthropicFormat): AnthropicTextBlock[] {
  return format.type === 'instruction' ? [{ type: 'text', text: format.text }] : [];
}

/** On what the next turn repeats: tools, system text, and the conversation up to here. Anthropic allows four markers; none stands on thinking. */
function markCache({ system, tools, messages }: AnthropicRequest): void {
  const marker: AnthropicCacheControl = { type: 'ephemeral' };
  const lastUser = messages.findLast(({ role }) => role === 'user')?.content.at(-1);
  for (const place of [tools?.at(-1), system?.at(-1)]) if (place !== undefined) place.cache_control = marker;
  if (lastUser !== undefined && takesMarker(lastUser)) lastUser.cache_control = marker;
}

function takesMarker(block: AnthropicBlock): block is AnthropicTextBlock | AnthropicToolResultBlock | AnthropicImageBlock {
  return ['text', 'image', 'document', 'tool_result'].includes(block.type);
}
