import { isJsonObject, type JsonObject } from '../../lib/json.ts';
import type { FunctionTool, HostedTool, ModelRequest } from '../../model/model-request.ts';
import type {
  AnthropicClientTool,
  AnthropicFunctionTool,
  AnthropicTool,
  AnthropicToolChoice,
  AnthropicWebSearchTool,
} from '../../protocol/anthropic/request.ts';
import { createToolNames, type ToolNames } from '../tool-names.ts';
import type { AnthropicModelTraits } from './anthropic-model-traits.ts';
import type { ReportLoss } from './to-anthropic-content.ts';
import { toAnthropicParameters } from './to-anthropic-parameters.ts';
import { toAnthropicSchema } from './to-anthropic-schema.ts';

/** Anthropic refuses requests with more. */
const mostStrictTools = 20;

const searchName = 'web_search';

/**
 * Both directions of tool names for one request; the answer is read with the same ones. Names in the history count too. Where the web is searched the name of the search is taken, and
 * `answerTool` always is: a client's function of that name gets another one.
 */
export function createAnthropicToolNames(request: ModelRequest, traits: AnthropicModelTraits): ToolNames {
  const called = request.input.flatMap((item) => (item.type === 'call' ? [item.name] : []));
  const rule = { pattern: /^[a-zA-Z0-9_-]+$/, maxLength: traits.longestToolName };
  const taken = new Set(request.hostedTools.some(isWebSearch) ? [searchName, answerTool] : [answerTool]);
  return createToolNames([...request.tools.map(({ name }) => name), ...called], rule, taken);
}

/** The function through which a model answers in JSON when it cannot be told otherwise. */
export const answerTool = 'answer_in_json';

export interface AnthropicToolsOptions {
  readonly names: ToolNames;
  readonly traits: AnthropicModelTraits;
  readonly report: ReportLoss;
}

/** Function tools, then those of Anthropic that the client runs, then web search. Other hosted tools are losses. */
export function toAnthropicTools(request: ModelRequest, options: AnthropicToolsOptions): AnthropicTool[] {
  const offered = offeredTools(request);
  const canBeStrict = options.traits.hasStructuredOutput && offered.filter(({ strict }) => strict).length <= mostStrictTools;
  const functions = offered.map((tool) => toFunctionTool(tool, { ...options, canBeStrict }));
  return [...functions, ...toHostedTools(request, options.report)];
}

function offeredTools({ tools, toolChoice }: ModelRequest): readonly FunctionTool[] {
  const isNarrow = toolChoice.type === 'allowed' || toolChoice.type === 'required-of';
  return isNarrow ? tools.filter(({ name }) => toolChoice.names.includes(name)) : tools;
}

function toFunctionTool(
  tool: FunctionTool,
  { names, report, canBeStrict }: AnthropicToolsOptions & { readonly canBeStrict: boolean },
): AnthropicFunctionTool {
  const path = `${tool.path}.parameters`;
  const { value: parameters, losses, isWhole } = toAnthropicParameters(tool.parameters, path);
  const strict = tool.strict && canBeStrict && isWhole ? toAnthropicSchema(parameters, path) : null;
  losses.forEach(report);
  strict?.losses.forEach(report);
  const schema = strict?.value ?? null;
  if (tool.strict && schema === null) {
    const reason = 'this model cannot be forced to match this schema, or there are too many such tools';
    report({ path: `${tool.path}.strict`, action: 'dropped', reason });
  }
  return {
    name: names.toAlias(tool.name),
    ...toDescription(tool),
    input_schema: schema ?? parameters,
    ...(schema !== null && { strict: true }),
  };
}

function toDescription({ description }: FunctionTool): Pick<AnthropicFunctionTool, 'description'> {
  return description === null || description === '' ? {} : { description };
}

function toHostedTools(
  { hostedTools, toolChoice }: ModelRequest,
  report: ReportLoss,
): (AnthropicWebSearchTool | AnthropicClientTool)[] {
  const isOpen = toolChoice.type === 'auto' || toolChoice.type === 'required';
  const clientTools: AnthropicClientTool[] = [];
  let search: AnthropicWebSearchTool | undefined;
  for (const tool of hostedTools) {
    const clientTool = toClientTool(tool);
    if (!isWebSearch(tool) && clientTool === undefined) {
      const reason = `Anthropic cannot serve tools of type ${tool.type}`;
      report({ path: `${tool.path}.type`, action: 'dropped', code: 'unsupported_value', reason });
    } else if (!isOpen) continue;
    else if (clientTool === undefined) search ??= toWebSearch(tool, report);
    else clientTools.push(clientTool);
  }
  return search === undefined ? clientTools : [...clientTools, search];
}

/** Undefined for all others: computer use needs a beta, and what Anthropic runs itself shows itself in blocks that no other client knows. */
function toClientTool({ type, settings }: HostedTool): AnthropicClientTool | undefined {
  const kind = clientKinds.find((one) => type.startsWith(one));
  const date = Number(type.slice(kind?.length));
  const { name } = settings;
  if (kind === undefined || !Number.isInteger(date) || typeof name !== 'string') return undefined;
  // Markers are placed anew.
  const kept = Object.entries(settings).filter(([key]) => key !== 'cache_control');
  return { ...Object.fromEntries(kept), type: `${kind}${date}`, name };
}

const clientKinds = ['bash_', 'text_editor_', 'memory_'] as const;

/** `web_search`, `web_search_2025_08_26`, `web_search_preview` … */
function isWebSearch({ type }: HostedTool): boolean {
  return type === 'web_search' || type.startsWith('web_search_');
}

function toWebSearch({ settings, path }: HostedTool, report: ReportLoss): AnthropicWebSearchTool {
  const tool: AnthropicWebSearchTool = { type: 'web_search_20250305', name: searchName };
  for (const [key, value] of Object.entries(settings)) {
    if (key === 'type' || value === null) continue;
    if (!addSearchSetting(tool, key, value))
      report({ path: `${path}.${key}`, action: 'dropped', reason: "Anthropic's web search has no such setting" });
  }
  return tool;
}

/** False when the setting has no counterpart. What only repeats OpenAI's default is none to speak of. */
function addSearchSetting(tool: AnthropicWebSearchTool, key: string, value: unknown): boolean {
  switch (key) {
    case 'filters':
      return isJsonObject(value) && Object.entries(value).every(([name, list]) => addSearchSetting(tool, name, list));
    case 'allowed_domains':
    case 'blocked_domains':
      if (value === null) return true;
      if (!isTexts(value)) return false;
      if (value.length > 0) tool[key] = [...value];
      return true;
    case 'max_uses':
      if (typeof value !== 'number') return false;
      tool.max_uses = value;
      return true;
    case 'user_location':
      if (!isJsonObject(value)) return false;
      tool.user_location = toLocation(value);
      return true;
    default:
      return key === 'search_context_size' && value === 'medium';
  }
}

function toLocation(location: JsonObject): JsonObject {
  const known = Object.entries(location).filter(([, value]) => value !== null);
  return { type: 'approximate', ...Object.fromEntries(known) };
}

function isTexts(value: unknown): value is readonly string[] {
  return Array.isArray(value) && value.every((one) => typeof one === 'string');
}

/** Undefined where the server's default says the same. */
export function toAnthropicToolChoice(
  { toolChoice, parallelToolCalls }: ModelRequest,
  names: ToolNames,
): AnthropicToolChoice | undefined {
  const single = parallelToolCalls ? {} : { disable_parallel_tool_use: true };
  switch (toolChoice.type) {
    case 'none':
      return { type: 'none' };
    case 'auto':
    case 'allowed':
      return parallelToolCalls ? undefined : { type: 'auto', ...single };
    case 'required':
      return { type: 'any', ...single };
    case 'required-of': {
      const [only, ...others] = toolChoice.names;
      const isOne = only !== undefined && others.length === 0;
      return isOne ? { type: 'tool', name: names.toAlias(only), ...single } : { type: 'any', ...single };
    }
  }
}
