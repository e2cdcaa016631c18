import type { Loss, Translated } from '../model/loss.ts';
import type { FunctionTool, HostedTool, ModelRequest } from '../model/model-request.ts';
import type { CreateResponseRequest, ToolChoiceParam, ToolParam } from '../protocol/responses/request.ts';

type Offered = Pick<ModelRequest, 'tools' | 'hostedTools' | 'toolChoice'>;

/** What of `tools` a model is offered under `tool_choice`: a built-in tool that the choice leaves out is not offered at all, because nobody could stop its use afterwards. */
export function toOfferedTools(request: Pick<CreateResponseRequest, 'tools' | 'tool_choice'>): Translated<Offered> {
  const tools = request.tools.flatMap(toFunctionTool);
  const hostedTools = request.tools.flatMap(toHostedTool);
  const choice = request.tool_choice;
  if (choice === 'none') return offer({ tools, hostedTools: [], toolChoice: { type: 'none' } });
  if (choice === 'auto') return offer({ tools, hostedTools, toolChoice: { type: 'auto' } });
  if (choice === 'required') {
    if (tools.length > 0) return offer({ tools, hostedTools, toolChoice: { type: 'required' } });
    return offer({ tools, hostedTools, toolChoice: { type: 'auto' } }, cannotForce('built-in tools'));
  }
  switch (choice.type) {
    case 'function':
      return offer({
        tools: tools.filter(({ name }) => name === choice.name),
        hostedTools: [],
        toolChoice: { type: 'required-of', names: [choice.name] },
      });
    case 'allowed_tools':
      return toAllowed(choice, tools, hostedTools);
    case 'other':
      return offer({ tools, hostedTools, toolChoice: { type: 'auto' } }, cannotForce(`a tool of type ${choice.toolType}`));
  }
}

function toAllowed(
  choice: Extract<ToolChoiceParam, { type: 'allowed_tools' }>,
  tools: readonly FunctionTool[],
  hostedTools: readonly HostedTool[],
): Translated<Offered> {
  const names = choice.tools.flatMap(({ type, name }) => (type === 'function' && name !== undefined ? [name] : []));
  const hosted = hostedTools.filter((tool) => choice.tools.some(({ type }) => type === tool.type));
  const isOwed = choice.mode === 'required';
  if (names.length === 0) {
    return offer(
      { tools: [], hostedTools: hosted, toolChoice: { type: 'auto' } },
      ...(isOwed ? [cannotForce('built-in tools')] : []),
    );
  }
  const allowed = tools.filter(({ name }) => names.includes(name));
  return offer({ tools: allowed, hostedTools: hosted, toolChoice: { type: isOwed ? 'required-of' : 'allowed', names } });
}

function offer(value: Offered, ...losses: readonly Loss[]): Translated<Offered> {
  return { value, losses };
}

function cannotForce(what: string): Loss {
  return {
    path: 'tool_choice',
    action: 'approximated',
    reason: `the use of ${what} cannot be forced here; the model decides by itself`,
  };
}

function toFunctionTool(tool: ToolParam, at: number): FunctionTool[] {
  if (tool.type === 'other') return [];
  const { name, description, parameters, strict } = tool;
  return [{ name, description, parameters, strict, path: `tools[${String(at)}]` }];
}

function toHostedTool(tool: ToolParam, at: number): HostedTool[] {
  return tool.type === 'other' ? [{ type: tool.toolType, settings: tool.raw, path: `tools[${String(at)}]` }] : [];
}
