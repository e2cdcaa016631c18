import { isJsonObject } from '../../lib/json.ts';
import type { ToolChoiceParam, ToolParam } from '../../protocol/responses/request.ts';
import { parseFunctionParameters } from '../parse/parse-function.ts';
import { parseObject, parseString } from '../parse/parse-value.ts';
import { invalid, invalidChoice, toPreview } from '../parse/request-error.ts';
import { readList, readMembers, type Member, type Members } from './from-gemini-request-members.ts';
import { fromOpenApiSchema } from './from-gemini-request-schema.ts';
import type { RequestTarget } from './from-gemini-request-target.ts';

/** Google's rule (FunctionDeclaration.name). */
const functionName = { min: 1, max: 128, pattern: /^[a-zA-Z_][a-zA-Z0-9_.:-]*$/ } as const;

const searchTools: ReadonlySet<string> = new Set(['googleSearch', 'googleSearchRetrieval', 'enterpriseWebSearch']);

/** `tools` → the hub's: each function declaration is one tool; Google Search is `web_search`. Tools that only Google has are losses. Throws GatewayError with the client's path. */
export function readTools(target: RequestTarget, source: Member): void {
  for (const member of readList(source)) {
    for (const [name, tool] of readMembers(member)) addTools(target, name, tool);
  }
}

function addTools(target: RequestTarget, name: string, tool: Member): void {
  if (name !== 'functionDeclarations') addHostedTool(target, name, tool);
  else for (const declaration of readList(tool)) addFunction(target, declaration);
}

function addFunction({ request, fields }: RequestTarget, source: Member): void {
  const declaration = readMembers(source);
  const nameAt = declaration.get('name');
  const name = parseString(nameAt.value, nameAt.path, functionName);
  if (request.tools.some((tool) => tool.type === 'function' && tool.name === name)) {
    const message = `Duplicate function declaration found: ${toPreview(name)}. Names of functions must be unique.`;
    throw invalid('invalid_value', nameAt.path, message);
  }
  const description = declaration.get('description');
  const hubPath = `tools[${String(request.tools.length)}]`;
  fields.set(hubPath, source.path);
  const { schema, path } = readParameters(declaration);
  fields.set(`${hubPath}.parameters`, path);
  request.tools.push({
    type: 'function',
    name,
    description: description.value === undefined ? null : parseString(description.value, description.path),
    parameters: schema === null ? null : parseFunctionParameters(schema, path, name),
    strict: false,
  });
}

function readParameters(declaration: Members): { schema: Readonly<Record<string, unknown>> | null; path: string } {
  const openApi = declaration.get('parameters');
  const jsonSchema = declaration.get('parametersJsonSchema');
  if (jsonSchema.value === undefined)
    return { schema: openApi.value === undefined ? null : fromOpenApiSchema(openApi), path: openApi.path };
  if (openApi.value !== undefined) {
    const message = `Mutually exclusive parameters: '${jsonSchema.path}'. Ensure you are only providing one of: 'parameters' or 'parametersJsonSchema'.`;
    throw invalid('mutually_exclusive_parameters', jsonSchema.path, message);
  }
  return { schema: parseObject(jsonSchema.value, jsonSchema.path), path: jsonSchema.path };
}

function addHostedTool(target: RequestTarget, name: string, tool: Member): void {
  if (searchTools.has(name)) {
    addTool(target, { type: 'other', toolType: 'web_search', raw: { type: 'web_search' } }, tool);
    for (const [, setting] of isJsonObject(tool.value) ? readMembers(tool) : [])
      target.losses.push({ path: setting.path, action: 'dropped', reason: 'the search takes no such setting here' });
  } else if (name === 'codeExecution') {
    const raw = { type: 'code_interpreter', container: { type: 'auto' } };
    addTool(target, { type: 'other', toolType: 'code_interpreter', raw }, tool);
  } else {
    const reason = 'no model behind this gateway is offered this tool';
    target.losses.push({ path: tool.path, action: 'dropped', code: 'unsupported_value', reason });
  }
}

function addTool({ request, fields }: RequestTarget, tool: ToolParam, { path }: Member): void {
  const hubPath = `tools[${String(request.tools.length)}]`;
  fields.set(hubPath, path);
  // The kind of a tool is its member's name in this dialect.
  fields.set(`${hubPath}.type`, path);
  request.tools.push(tool);
}

/**
 * `toolConfig` → `tool_choice`. To be read when the tools are known: Gemini refuses a choice that names others. VALIDATED is the free choice with calls that keep to their schema; only
 * a Gemini backend promises the second half, and does so by itself where it matters.
 */
export function readToolConfig(target: RequestTarget, source: Member): void {
  for (const [name, member] of readMembers(source)) {
    if (name === 'functionCallingConfig') readCallingConfig(target, member);
    // Whether searches show as parts of their own is decided by the gateway: it shows them as sources.
    else if (name !== 'includeServerSideToolInvocations')
      target.losses.push({ path: member.path, action: 'dropped', reason: 'tools cannot be told this here' });
  }
}

function readCallingConfig({ request, losses, fields }: RequestTarget, source: Member): void {
  const config = readMembers(source);
  const mode = config.get('mode');
  const names = config.get('allowedFunctionNames');
  const allowed = names.value === undefined ? [] : readNames(request.tools, names);
  const chosen = mode.value === undefined ? 'AUTO' : parseString(mode.value, mode.path).toUpperCase();
  fields.set('tool_choice', source.path);
  if (allowed.length > 0 && chosen !== 'ANY' && chosen !== 'VALIDATED') {
    throw invalid('invalid_value', names.path, `'${names.path}' goes only with the modes ANY and VALIDATED.`);
  }
  request.tool_choice = toChoice(chosen, allowed, mode);
  if (chosen === 'ANY' && request.tools.length === 0) {
    throw invalid('invalid_value', mode.path, "The mode ANY demands a call, and there are no functions in 'tools'.");
  }
  if (chosen === 'VALIDATED' && allowed.length === 0) {
    const reason = 'not every model holds its calls to their schemas';
    losses.push({ path: mode.path, action: 'approximated', reason });
  }
}

function toChoice(mode: string, allowed: readonly string[], { path }: Member): ToolChoiceParam {
  switch (mode) {
    case 'AUTO':
    case 'MODE_UNSPECIFIED':
      return 'auto';
    case 'NONE':
      return 'none';
    case 'VALIDATED':
      return allowed.length === 0 ? 'auto' : { type: 'allowed_tools', mode: 'auto', tools: allowed.map(toNamed) };
    case 'ANY': {
      const [only, ...others] = allowed;
      if (only === undefined) return 'required';
      if (others.length === 0) return { type: 'function', name: only };
      return { type: 'allowed_tools', mode: 'required', tools: allowed.map(toNamed) };
    }
    default:
      throw invalidChoice(path, mode, ['AUTO', 'ANY', 'NONE', 'VALIDATED']);
  }
}

function toNamed(name: string): { type: string; name: string } {
  return { type: 'function', name };
}

function readNames(tools: readonly ToolParam[], source: Member): readonly string[] {
  const declared = new Set(tools.flatMap((tool) => (tool.type === 'function' ? [tool.name] : [])));
  return readList(source).map(({ value, path }) => {
    const name = parseString(value, path, { min: 1 });
    if (declared.has(name)) return name;
    throw invalid('invalid_value', path, `The function '${toPreview(name)}' is not declared in 'tools'.`);
  });
}
