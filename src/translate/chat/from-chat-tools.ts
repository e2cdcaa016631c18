import { isJsonObject, type JsonObject } from '../../lib/json.ts';
import type { FunctionToolParam, ToolChoiceParam, ToolParam } from '../../protocol/responses/request.ts';
import { parseFunctionName, parseFunctionParameters } from '../parse/parse-function.ts';
import { isAbsent, parseArray, parseBoolean, parseChoice, parseObject, parseString } from '../parse/parse-value.ts';
import { invalid, invalidChoice, invalidType, toPreview } from '../parse/request-error.ts';
import type { ChatReading } from './chat-reading.ts';

type AllowedTool = { type: string; name?: string };

const oldModes = ['none', 'auto'] as const;
/** `any` is Mistral's `required`. */
const modes = ['none', 'auto', 'required', 'any'] as const;

/** `tools`: functions and custom tools. A tool without a type is a function (Mistral's clients). */
export function readTools({ request, names }: ChatReading, value: unknown, path: string): void {
  request.tools = parseArray(value, path).map((member, index) => parseTool(names, member, `${path}[${index}]`));
  checkUnique(request.tools, (index) => `${path}[${index}].function.name`);
}

/** `functions`, the way of 2023: one call per turn, answered as `function_call`. */
export function readFunctions(reading: ChatReading, value: unknown, path: string): void {
  const { request, names } = reading;
  request.tools = parseArray(value, path).map((member, index) => {
    names.set(`tools[${index}]`, `${path}[${index}]`);
    return parseFunction(parseObject(member, `${path}[${index}]`), `${path}[${index}]`);
  });
  checkUnique(request.tools, (index) => `${path}[${index}].name`);
  reading.isLegacy = true;
}

function parseTool(names: Map<string, string>, value: unknown, path: string): ToolParam {
  const tool = parseObject(value, path);
  const type = isAbsent(tool['type']) ? 'function' : parseChoice(tool['type'], `${path}.type`, ['function', 'custom']);
  // Losses name members: in the hub they stand on the tool itself.
  for (const member of ['name', 'description', 'parameters', 'strict'])
    names.set(`${path}.${member}`, `${path}.${type}.${member}`);
  const members = parseObject(tool[type], `${path}.${type}`);
  return type === 'function' ? parseFunction(members, `${path}.function`) : parseCustom(members, `${path}.custom`);
}

function parseFunction(members: JsonObject, path: string): FunctionToolParam {
  const name = parseFunctionName(members['name'], `${path}.name`);
  const { description, parameters, strict } = members;
  return {
    type: 'function',
    name,
    description: isAbsent(description) ? null : parseString(description, `${path}.description`),
    parameters: isAbsent(parameters) ? null : parseFunctionParameters(parameters, `${path}.parameters`, name),
    strict: isAbsent(strict) ? false : parseBoolean(strict, `${path}.strict`),
  };
}

/** The same tool as the Responses API writes it: flat, also the grammar of its format. */
function parseCustom(members: JsonObject, path: string): ToolParam {
  const name = parseFunctionName(members['name'], `${path}.name`);
  const raw: Record<string, unknown> = { type: 'custom', name };
  if (!isAbsent(members['description'])) raw['description'] = parseString(members['description'], `${path}.description`);
  if (!isAbsent(members['format'])) {
    const format = parseObject(members['format'], `${path}.format`);
    const type = parseChoice(format['type'], `${path}.format.type`, ['text', 'grammar']);
    raw['format'] = type === 'text' ? { type } : { type, ...parseObject(format['grammar'], `${path}.format.grammar`) };
  }
  return { type: 'other', toolType: 'custom', raw };
}

function checkUnique(tools: readonly ToolParam[], pathOf: (index: number) => string): void {
  const seen = new Set<string>();
  tools.forEach((tool, index) => {
    if (tool.type !== 'function') return;
    if (seen.has(tool.name)) {
      const message = `Invalid value: '${tool.name}'. Names of functions must be unique, and an earlier one has this name.`;
      throw invalid('invalid_value', pathOf(index), message);
    }
    seen.add(tool.name);
  });
}

/** `tool_choice`; whether the tools exist is seen when all fields are read. */
export function readToolChoice({ request }: ChatReading, value: unknown, path: string): void {
  request.tool_choice = parseToolChoice(value, path);
}

/** `function_call`: a word, or `{name}`. */
export function readFunctionCallChoice(reading: ChatReading, value: unknown, path: string): void {
  reading.choiceField = path;
  reading.names.set('tool_choice', path);
  const { request } = reading;
  if (typeof value === 'string') request.tool_choice = parseChoice(value, path, oldModes);
  else if (isJsonObject(value))
    request.tool_choice = { type: 'function', name: parseString(value['name'], `${path}.name`, { min: 1 }) };
  else throw invalidType(path, 'one of a string or an object', value);
}

function parseToolChoice(value: unknown, path: string): ToolChoiceParam {
  if (typeof value === 'string') {
    const mode = parseChoice(value, path, modes);
    return mode === 'any' ? 'required' : mode;
  }
  if (!isJsonObject(value)) throw invalidType(path, 'one of a string or an object', value);
  const type = parseString(value['type'], `${path}.type`);
  switch (type) {
    case 'function':
      return { type, name: parseNameIn(value, type, path) };
    case 'custom':
      return { type: 'other', toolType: type, raw: { type, name: parseNameIn(value, type, path) } };
    case 'allowed_tools':
      return parseAllowedTools(value['allowed_tools'], `${path}.allowed_tools`);
    default:
      throw invalidChoice(`${path}.type`, type, ['function', 'allowed_tools', 'custom']);
  }
}

/** `{type: 'function', function: {name}}` → the name. */
function parseNameIn(holder: JsonObject, type: string, path: string): string {
  return parseString(parseObject(holder[type], `${path}.${type}`)['name'], `${path}.${type}.name`, { min: 1 });
}

function parseAllowedTools(value: unknown, path: string): ToolChoiceParam {
  const allowed = parseObject(value, path);
  const mode = parseChoice(allowed['mode'], `${path}.mode`, ['auto', 'required']);
  const tools = parseArray(allowed['tools'], `${path}.tools`, { min: 1 }).map((member, index): AllowedTool => {
    const place = `${path}.tools[${index}]`;
    const tool = parseObject(member, place);
    const type = parseChoice(tool['type'], `${place}.type`, ['function', 'custom']);
    return { type, name: parseNameIn(tool, type, place) };
  });
  return { type: 'allowed_tools', mode, tools };
}

/** Throws 400 `invalid_value` when the choice demands a tool that the request does not have: nobody could ever do what it says. */
export function checkChatToolChoice({ request: { tools, tool_choice: choice }, choiceField }: ChatReading): void {
  if (choice === 'none' || choice === 'auto') return;
  if (choice === 'required') {
    if (tools.length === 0)
      throw invalid(
        'invalid_value',
        choiceField,
        `Invalid value for '${choiceField}': it is only allowed when 'tools' are specified.`,
      );
    return;
  }
  const declared = new Set(tools.map((tool) => (tool.type === 'function' ? keyOf(tool) : keyOf(tool.raw))));
  if (choice.type === 'allowed_tools') {
    choice.tools.forEach((tool, index) => {
      if (!declared.has(keyOf(tool))) throw unknownTool(`${choiceField}.allowed_tools.tools[${index}]`, tool.name);
    });
    return;
  }
  const wanted = choice.type === 'function' ? choice : choice.raw;
  if (!declared.has(keyOf(wanted))) throw unknownTool(choiceField, wanted['name']);
}

function keyOf({ type, name }: { readonly type?: unknown; readonly name?: unknown }): string {
  return JSON.stringify([type, name]);
}

function unknownTool(path: string, name: unknown): Error {
  const shown = typeof name === 'string' ? toPreview(name) : '';
  return invalid('invalid_value', path, `Invalid value for '${path}': no function '${shown}' is specified in the request.`);
}

/** `web_search_options` → the hosted tool `web_search`, behind all others. In a chat the search is no tool, so `tool_choice` never speaks of it, and one that leaves tools out takes it along. */
export function addWebSearch({ request, names, losses }: ChatReading, value: unknown, path: string): void {
  const options = parseObject(value, path);
  const raw: Record<string, unknown> = { type: 'web_search' };
  if (!isAbsent(options['search_context_size']))
    raw['search_context_size'] = parseChoice(options['search_context_size'], `${path}.search_context_size`, [
      'low',
      'medium',
      'high',
    ]);
  if (!isAbsent(options['user_location'])) {
    const location = parseObject(options['user_location'], `${path}.user_location`);
    const type = parseChoice(location['type'], `${path}.user_location.type`, ['approximate']);
    raw['user_location'] = { type, ...parseObject(location['approximate'], `${path}.user_location.approximate`) };
  }
  const choice = request.tool_choice;
  if (choice === 'none' || typeof choice === 'object') {
    losses.push({ path, action: 'dropped', reason: 'tool_choice leaves only other tools, and no search, to the model' });
    return;
  }
  const at = `tools[${request.tools.length}]`;
  names.set(at, path).set(`${at}.type`, path);
  request.tools.push({ type: 'other', toolType: 'web_search', raw });
}
