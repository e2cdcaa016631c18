import { isJsonObject, type JsonObject } from '../../lib/json.ts';
import type { ToolChoiceParam } from '../../protocol/responses/request.ts';
import { invalidChoice, invalidType, missingParameter } from '../../translate/parse/request-error.ts';
import { isAbsent, parseArray, parseChoice, parseObject, parseString } from '../../translate/parse/parse-value.ts';

const modes = ['none', 'auto', 'required'] as const;

type AllowedTool = { type: string; name?: string };

/** `tool_choice` by itself; whether the tools exist is `checkToolChoice`'s question, because `tools` may stand behind it in the body. */
export function parseToolChoice(value: unknown): ToolChoiceParam {
  if (typeof value === 'string') return parseChoice(value, 'tool_choice', modes);
  if (!isJsonObject(value)) throw invalidType('tool_choice', 'one of a string or an object', value);
  const toolType = parseString(value.type, 'tool_choice.type', { min: 1 });
  if (toolType === 'function') return { type: 'function', name: parseToolName(value, 'tool_choice') };
  if (toolType === 'allowed_tools') return parseAllowedTools(value);
  // A bare mode that was wrapped into an object, as other APIs want it.
  if (modes.some((mode) => mode === toolType))
    throw invalidChoice('tool_choice.type', toolType, ['function', 'allowed_tools', 'custom', 'mcp']);
  if (toolType === 'custom') parseToolName(value, 'tool_choice');
  if (toolType === 'mcp') parseString(value.server_label, 'tool_choice.server_label', { min: 1 });
  return { type: 'other', toolType, raw: value };
}

function parseAllowedTools(choice: JsonObject): ToolChoiceParam {
  // The chat API nests the two below `allowed_tools`.
  if (choice.tools === undefined && isJsonObject(choice.allowed_tools)) {
    throw missingParameter(
      'tool_choice.tools',
      "In the Responses API 'mode' and 'tools' stand on tool_choice itself, not inside 'allowed_tools'.",
    );
  }
  const mode = isAbsent(choice.mode) ? 'auto' : parseChoice(choice.mode, 'tool_choice.mode', modes);
  const tools = parseArray(choice.tools, 'tool_choice.tools', { min: 1, max: 128 }).map((member, index) => {
    const path = `tool_choice.tools[${index}]`;
    const tool = parseObject(member, path);
    const allowed: AllowedTool = { type: parseString(tool.type, `${path}.type`, { min: 1 }) };
    if (allowed.type === 'function' || !isAbsent(tool.name)) allowed.name = parseToolName(tool, path);
    return allowed;
  });
  // Open Responses allows `none` here; it says the same as the bare word.
  return mode === 'none' ? 'none' : { type: 'allowed_tools', mode, tools };
}

function parseToolName(holder: JsonObject, path: string): string {
  if (holder.name === undefined && isJsonObject(holder.function)) {
    throw missingParameter(`${path}.name`, "In the Responses API 'name' stands beside 'type', not inside 'function'.");
  }
  return parseString(holder.name, `${path}.name`, { min: 1 });
}
