import type { FunctionTool, HostedTool, ModelRequest } from '../../model/model-request.ts';
import type { BodyTool, BodyToolChoice, CreateResponseBody } from '../../protocol/responses/create-body.ts';
import type { ReportLoss } from '../chat/to-chat-content.ts';
import type { ToolNames } from '../tool-names.ts';
import type { ResponsesProfile } from './responses-profile.ts';

export interface ResponsesToolsOptions {
  readonly profile: ResponsesProfile;
  readonly toolNames: ToolNames;
  readonly report: ReportLoss;
}

/** Tools a server runs by itself, and `custom`, whose calls can be shown as function calls. */
const serverTools =
  /^(web_search|file_search|code_interpreter|image_generation|mcp|x_search|custom|openrouter:[\w-]+)$|^web_search(_preview)?(_\d[\d_-]*)?$/;

/** `tools`, `tool_choice` and `parallel_tool_calls`. Tools of the server are passed on as the client wrote them: here they are native. */
export function toResponsesTools(
  request: ModelRequest,
  options: ResponsesToolsOptions,
): Pick<CreateResponseBody, 'tools' | 'tool_choice' | 'parallel_tool_calls'> {
  const hosted = request.hostedTools.filter((tool) => canPass(tool, options));
  const tools: BodyTool[] = [
    ...request.tools.map((tool) => toTool(tool, options)),
    ...hosted.map((tool) => toHosted(tool, options.report)),
  ];
  // A choice without tools is refused by OpenAI.
  if (tools.length === 0) return {};
  const choice = toToolChoice(request, hosted.length > 0, options.toolNames);
  return {
    tools,
    ...(choice !== undefined && { tool_choice: choice }),
    ...(!request.parallelToolCalls && { parallel_tool_calls: false }),
  };
}

/** Names of the freeform tools that are passed on: their calls are the client's, others of that kind are the server's own. */
export function customToolNames({ hostedTools }: ModelRequest): ReadonlySet<string> {
  return new Set(
    hostedTools.flatMap(({ type, settings }) =>
      type === 'custom' && typeof settings['name'] === 'string' ? [settings['name']] : [],
    ),
  );
}

/** A tool that the client would have to run is of no use when its calls cannot be shown; one that the server does not know would fail the whole request. */
function canPass({ type, settings, path }: HostedTool, { profile, report }: ResponsesToolsOptions): boolean {
  const isRunByServer = serverTools.test(type) || (type === 'shell' && hasContainer(settings['environment']));
  if (isRunByServer && profile.hostedTools === 'known') return true;
  const reason = clientTools.test(type)
    ? `calls of a tool of type ${type} cannot be shown, so it is not offered`
    : `this server has no built-in tool of type ${type}`;
  report({ path: `${path}.type`, action: 'dropped', code: 'unsupported_value', reason });
  return false;
}

/** What clients of Anthropic can tell its web search; a member that OpenAI does not know fails the whole request. */
const foreignSettings = ['max_uses', 'blocked_domains'];

function toHosted({ type, settings, path }: HostedTool, report: ReportLoss): BodyTool {
  const foreign = type.startsWith('web_search') ? foreignSettings.filter((name) => Object.hasOwn(settings, name)) : [];
  for (const name of foreign)
    report({ path: `${path}.${name}`, action: 'dropped', reason: 'the web search of this server has no such setting' });
  if (foreign.length === 0) return settings;
  return Object.fromEntries(Object.entries(settings).filter(([name]) => !foreign.includes(name)));
}

const clientTools = /^(computer|computer_use|computer_use_preview|local_shell|shell|apply_patch|tool_search|namespace)$/;

function hasContainer(environment: unknown): boolean {
  return (
    typeof environment === 'object' &&
    environment !== null &&
    'type' in environment &&
    /^container/.test(String(environment.type))
  );
}

function toTool(tool: FunctionTool, { profile, toolNames, report }: ResponsesToolsOptions): BodyTool {
  const { name, description, parameters, strict, path } = tool;
  if (strict && !profile.enforcesStrict)
    report({ path: `${path}.strict`, action: 'dropped', reason: 'this server does not force arguments to match their schema' });
  return {
    type: 'function',
    name: toolNames.toAlias(name),
    ...(description !== null && { description }),
    parameters: parameters ?? { type: 'object', properties: {}, ...(strict && { required: [], additionalProperties: false }) },
    // Where it is left out, OpenAI makes the schema strict.
    strict: strict && profile.enforcesStrict,
  };
}

/** Undefined where the default says the same: the tools are narrowed already. */
function toToolChoice({ toolChoice }: ModelRequest, hasHosted: boolean, toolNames: ToolNames): BodyToolChoice | undefined {
  switch (toolChoice.type) {
    case 'auto':
    case 'allowed':
      return undefined;
    case 'none':
    case 'required':
      return toolChoice.type;
    case 'required-of': {
      const tools = toolChoice.names.map((name) => ({ type: 'function' as const, name: toolNames.toAlias(name) }));
      const [only, ...others] = tools;
      if (only !== undefined && others.length === 0) return only;
      return hasHosted ? { type: 'allowed_tools', mode: 'required', tools } : 'required';
    }
  }
}
