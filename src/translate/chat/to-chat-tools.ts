import type { FunctionTool, ModelRequest } from '../../model/model-request.ts';
import type { ChatRequest, ChatTool, ChatToolChoice } from '../../protocol/chat/request.ts';
import type { ToolNames } from '../tool-names.ts';
import type { ChatProfile } from './chat-profile.ts';
import type { ReportLoss } from './to-chat-content.ts';

export interface ChatToolsOptions {
  readonly profile: ChatProfile;
  readonly toolNames: ToolNames;
  readonly report: ReportLoss;
}

/**
 * `tools`, `tool_choice` and `parallel_tool_calls`. A choice the server has no word for is made true by offering only the tools it allows; the engine watches the answer
 * whatever the server does.
 */
export function toChatTools(
  request: ModelRequest,
  options: ChatToolsOptions,
): Pick<ChatRequest, 'tools' | 'tool_choice' | 'parallel_tool_calls'> {
  const { profile, report } = options;
  for (const { type, path } of request.hostedTools)
    report({
      path: `${path}.type`,
      action: 'dropped',
      code: 'unsupported_value',
      reason: `this server has no built-in tool of type ${type}`,
    });
  const offered = offeredTools(request, profile);
  if (offered.length === 0) return {};
  const choice = toToolChoice(request, options);
  // A field that says what the server does anyway is left out: some models refuse it.
  const saysParallel = profile.parallelByDefault !== null && profile.parallelByDefault !== request.parallelToolCalls;
  return {
    tools: offered.map((tool) => toTool(tool, options)),
    ...(choice !== undefined && { tool_choice: choice }),
    ...(saysParallel && { parallel_tool_calls: request.parallelToolCalls }),
  };
}

function offeredTools({ tools, toolChoice }: ModelRequest, profile: ChatProfile): readonly FunctionTool[] {
  switch (toolChoice.type) {
    case 'none':
      return profile.toolChoice === 'ignored' ? [] : tools;
    case 'allowed':
    case 'required-of':
      return tools.filter(({ name }) => toolChoice.names.includes(name));
    case 'auto':
    case 'required':
      return tools;
  }
}

function toTool(tool: FunctionTool, { profile, toolNames, report }: ChatToolsOptions): ChatTool {
  if (tool.strict && !profile.enforcesStrict) {
    report({
      path: `${tool.path}.strict`,
      action: 'dropped',
      reason: 'this server does not force arguments to match their schema',
    });
  }
  return {
    type: 'function',
    function: {
      name: toolNames.toAlias(tool.name),
      ...(tool.description !== null && { description: tool.description }),
      // Several chat templates break on a function without parameters.
      parameters: tool.parameters ?? { type: 'object', properties: {} },
      ...(tool.strict && profile.enforcesStrict && { strict: true }),
    },
  };
}

/** Undefined where the server's default says the same. */
function toToolChoice({ toolChoice }: ModelRequest, { profile, toolNames }: ChatToolsOptions): ChatToolChoice | undefined {
  if (profile.toolChoice === 'ignored') return undefined;
  switch (toolChoice.type) {
    case 'none':
      return 'none';
    case 'auto':
    case 'allowed':
      return undefined;
    case 'required':
      return profile.toolChoice === 'any' ? 'any' : 'required';
    case 'required-of': {
      const [only, ...others] = toolChoice.names;
      if (profile.toolChoice === 'named' && only !== undefined && others.length === 0)
        return { type: 'function', function: { name: toolNames.toAlias(only) } };
      return profile.toolChoice === 'any' ? 'any' : 'required';
    }
  }
}
