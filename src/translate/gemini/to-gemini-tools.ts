import type { JsonObject } from '../../lib/json.ts';
import type { Loss, Translated } from '../../model/loss.ts';
import type { FunctionTool, HostedTool, ModelRequest, ToolChoice } from '../../model/model-request.ts';
import type { GeminiFunctionDeclaration, GeminiTool, GeminiToolConfig } from '../../protocol/gemini/request.ts';
import { toGeminiSchema } from '../json-schema/to-gemini-schema.ts';
import type { ToolNames, ToolNameRule } from '../tool-names.ts';
import type { ModelTraits } from './model-traits.ts';

/** Names that every Gemini model takes; the newest allow 128 characters. */
export const geminiToolNameRule: ToolNameRule = { pattern: /^[a-zA-Z_][a-zA-Z0-9_.:-]*$/, maxLength: 64 };

export interface GeminiTools {
  readonly tools: GeminiTool[];
  readonly toolConfig: GeminiToolConfig | undefined;
}

export interface ToolOptions {
  readonly names: ToolNames;
  readonly traits: ModelTraits;
  /** Vertex shows server-side tool calls without being asked, and refuses the field that asks. */
  readonly isVertex: boolean;
  /** The request declares functions besides those of the turn. */
  readonly hasOtherFunctions: boolean;
}

/** Function tools, web search and the tool choice (table in backends.md B.2, "Tools"). Tools that Gemini cannot serve become losses at their path. */
export function toGeminiTools(request: ModelRequest, options: ToolOptions): Translated<GeminiTools> {
  const { names, traits, isVertex, hasOtherFunctions } = options;
  const losses: Loss[] = [];
  const hasFunctions = request.tools.length > 0;
  const canSearch = traits.isGemini3 || !(hasFunctions || hasOtherFunctions);
  const hasSearch = readHostedTools(request, canSearch, losses);
  const search: GeminiTool[] = hasSearch ? [{ googleSearch: {} }] : [];
  // Gemini wants to be asked for search calls in its answer as soon as functions stand beside the search.
  const searchConfig: GeminiToolConfig = hasSearch && !isVertex ? { includeServerSideToolInvocations: true } : {};
  if (!hasFunctions) {
    const toolConfig = hasOtherFunctions && Object.keys(searchConfig).length > 0 ? searchConfig : undefined;
    return { value: { tools: search, toolConfig }, losses };
  }
  const functionDeclarations = request.tools.map((tool) => toDeclaration(tool, names, losses));
  const prefersValidated = hasSearch || request.tools.some((tool) => tool.strict);
  const toolConfig: GeminiToolConfig = {
    functionCallingConfig: toCallingConfig(request.toolChoice, { names, prefersValidated }),
    ...searchConfig,
  };
  return { value: { tools: [{ functionDeclarations }, ...search], toolConfig }, losses };
}

/** Whether the web is searched: not where the choice is `none` or names functions, as the client itself has said so. */
function readHostedTools({ hostedTools, toolChoice }: ModelRequest, canSearch: boolean, losses: Loss[]): boolean {
  const mayChooseSearch = toolChoice.type === 'auto' || toolChoice.type === 'required';
  for (const tool of hostedTools) {
    if (!isWebSearch(tool)) losses.push(toToolLoss(tool, `Gemini cannot serve tools of type ${tool.type}`));
    else if (!mayChooseSearch) continue;
    else if (canSearch) losses.push(...toSearchLosses(tool));
    else losses.push(toToolLoss(tool, 'this model cannot search the web while it has function tools'));
  }
  return mayChooseSearch && canSearch && hostedTools.some(isWebSearch);
}

function toToolLoss({ path }: HostedTool, reason: string): Loss {
  return { path: `${path}.type`, action: 'dropped', code: 'unsupported_value', reason };
}

/** `web_search`, `web_search_2025_08_26`, `web_search_preview`, `web_search_preview_2025_03_11`. */
function isWebSearch({ type }: HostedTool): boolean {
  return type === 'web_search' || type.startsWith('web_search_');
}

/** Google Search takes no settings. What only repeats OpenAI's default is no loss. */
function toSearchLosses({ settings, path }: HostedTool): Loss[] {
  return Object.entries(settings).flatMap(([key, value]): Loss[] => {
    const isDefault =
      key === 'type' || value === null || value === undefined || (key === 'search_context_size' && value === 'medium');
    return isDefault ? [] : [{ path: `${path}.${key}`, action: 'dropped', reason: 'Google Search has no such setting' }];
  });
}

function toDeclaration(tool: FunctionTool, names: ToolNames, losses: Loss[]): GeminiFunctionDeclaration {
  const name = names.toAlias(tool.name);
  // An empty description is refused.
  const description =
    tool.description === null || tool.description.trim() === '' ? `The function ${tool.name}.` : tool.description;
  if (tool.parameters === null) return { name, description };
  const schema = toGeminiSchema(tool.parameters, `${tool.path}.parameters`);
  losses.push(...schema.losses);
  const parametersJsonSchema = toParameters(schema.value);
  return { name, description, ...(parametersJsonSchema !== undefined && { parametersJsonSchema }) };
}

/** Arguments are always an object. One without any properties is written by leaving the schema out: an empty one is refused. */
function toParameters(schema: JsonObject): JsonObject | undefined {
  const { type, properties, anyOf, additionalProperties } = schema;
  const isOpen = additionalProperties !== undefined && additionalProperties !== false;
  const isEmpty = properties === undefined || Object.keys(properties as object).length === 0;
  if (isEmpty && !isOpen && anyOf === undefined) return undefined;
  return type === 'object' ? schema : { ...schema, type: 'object' };
}

function toCallingConfig(
  choice: ToolChoice,
  options: { readonly names: ToolNames; readonly prefersValidated: boolean },
): NonNullable<GeminiToolConfig['functionCallingConfig']> {
  switch (choice.type) {
    case 'none':
      return { mode: 'NONE' };
    case 'auto':
      return { mode: options.prefersValidated ? 'VALIDATED' : 'AUTO' };
    case 'required':
      return { mode: 'ANY' };
    case 'allowed':
      return { mode: 'VALIDATED', allowedFunctionNames: choice.names.map((name) => options.names.toAlias(name)) };
    case 'required-of':
      return { mode: 'ANY', allowedFunctionNames: choice.names.map((name) => options.names.toAlias(name)) };
  }
}
