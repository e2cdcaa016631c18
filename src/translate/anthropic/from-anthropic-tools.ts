import type { JsonObject } from '../../lib/json.ts';
import type { CreateResponseRequest, FunctionToolParam, ToolChoiceParam, ToolParam } from '../../protocol/responses/request.ts';
import { parseFunctionName, parseFunctionParameters } from '../parse/parse-function.ts';
import { isAbsent, parseArray, parseBoolean, parseChoice, parseObject, parseString } from '../parse/parse-value.ts';
import { invalid, toPreview } from '../parse/request-error.ts';

/** Server tools with a date in their type. Other models have one kind of it, if any. */
const webSearch = /^web_search(?:_\d{8})?$/;
const searchName = 'web_search';
/** They find tools that are loaded later. Here all are loaded from the beginning, so there is nothing to find. */
const toolSearch = /^tool_search_tool_/;

/**
 * `tools` in the hub's words: functions, `web_search` whatever its version, and all other server tools as they are (a backend serves them or reports a loss). `defer_loading`, `cache_control`,
 * `input_examples` and the like change nothing here. In `names`: where the client wrote what the hub calls otherwise. Throws GatewayError with `param`.
 */
export function fromAnthropicTools(value: unknown, names: Map<string, string>): ToolParam[] {
  const tools: ToolParam[] = [];
  const known = new Set<string>();
  parseArray(value, 'tools').forEach((member, at) => {
    const path = `tools[${String(at)}]`;
    const tool = fromTool(parseObject(member, path), path);
    if (tool === null) return;
    checkUnique(tool, path, known);
    const place = `tools[${String(tools.push(tool) - 1)}]`;
    names.set(place, path);
    names.set(`${place}.parameters`, `${path}.input_schema`);
  });
  return tools;
}

function fromTool(tool: JsonObject, path: string): ToolParam | null {
  const type = isAbsent(tool.type) ? 'custom' : parseString(tool.type, `${path}.type`, { min: 1 });
  if (type === 'custom') return fromFunction(tool, path);
  if (toolSearch.test(type)) return null;
  return webSearch.test(type) ? fromWebSearch(tool) : { type: 'other', toolType: type, raw: tool };
}

/** In OpenAI's words, as from any other door. What only Anthropic's search knows stays beside them. */
function fromWebSearch({ allowed_domains: allowed, blocked_domains, max_uses, user_location }: JsonObject): ToolParam {
  const settings = {
    filters: hasMembers(allowed) ? { allowed_domains: allowed } : null,
    user_location,
    max_uses,
    blocked_domains,
  };
  const given = Object.entries(settings).filter(([, value]) => !isAbsent(value));
  return { type: 'other', toolType: searchName, raw: { type: searchName, ...Object.fromEntries(given) } };
}

function hasMembers(list: unknown): boolean {
  return Array.isArray(list) ? list.length > 0 : !isAbsent(list);
}

/** By what `tool_choice` calls a tool. */
function nameOf(tool: ToolParam): unknown {
  if (tool.type === 'function') return tool.name;
  return tool.toolType === searchName ? searchName : tool.raw.name;
}

function fromFunction(tool: JsonObject, path: string): FunctionToolParam {
  const name = parseFunctionName(tool.name, `${path}.name`);
  return {
    type: 'function',
    name,
    description: isAbsent(tool.description) ? null : parseString(tool.description, `${path}.description`),
    parameters: parseFunctionParameters(tool.input_schema, `${path}.input_schema`, name),
    strict: !isAbsent(tool.strict) && parseBoolean(tool.strict, `${path}.strict`),
  };
}

function checkUnique(tool: ToolParam, path: string, known: Set<string>): void {
  const name = nameOf(tool);
  if (typeof name !== 'string') return;
  if (known.has(name))
    throw invalid(
      'invalid_value',
      `${path}.name`,
      `Invalid '${path}.name': tool names must be unique, but '${name}' comes twice.`,
    );
  known.add(name);
}

/**
 * `tool_choice` in the hub's words, and whether several calls at once are allowed. Throws GatewayError with `param`, also for a choice that no tool can fulfil.
 */
export function fromAnthropicToolChoice(
  value: unknown,
  tools: readonly ToolParam[],
): Pick<CreateResponseRequest, 'tool_choice' | 'parallel_tool_calls'> {
  const choice = parseObject(value, 'tool_choice');
  const type = parseChoice(choice.type, 'tool_choice.type', ['auto', 'any', 'tool', 'none']);
  const path = 'tool_choice.disable_parallel_tool_use';
  const isOneAtATime = !isAbsent(choice.disable_parallel_tool_use) && parseBoolean(choice.disable_parallel_tool_use, path);
  return { tool_choice: mapChoice(type, choice, tools), parallel_tool_calls: !isOneAtATime };
}

function mapChoice(type: 'auto' | 'any' | 'tool' | 'none', choice: JsonObject, tools: readonly ToolParam[]): ToolChoiceParam {
  switch (type) {
    case 'auto':
    case 'none':
      return type;
    case 'any':
      if (tools.length > 0) return 'required';
      throw invalid('invalid_value', 'tool_choice', "Tool choice 'any' may only be specified while providing 'tools'.");
    case 'tool':
      return chooseTool(parseString(choice.name, 'tool_choice.name', { min: 1 }), tools);
  }
}

function chooseTool(name: string, tools: readonly ToolParam[]): ToolChoiceParam {
  const tool = tools.find((one) => nameOf(one) === name);
  if (tool === undefined) {
    throw invalid('invalid_value', 'tool_choice.name', `Tool choice '${toPreview(name)}' not found in 'tools' parameter.`);
  }
  return tool.type === 'function' ? { type: 'function', name } : { type: 'other', toolType: tool.toolType, raw: tool.raw };
}
