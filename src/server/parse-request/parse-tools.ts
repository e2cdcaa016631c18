import { isJsonObject, type JsonObject } from '../../lib/json.ts';
import type { Loss } from '../../model/loss.ts';
import type { FunctionToolParam, ToolParam } from '../../protocol/responses/request.ts';
import { parseFunctionName, parseFunctionParameters } from '../../translate/parse/parse-function.ts';
import { invalid, missingParameter } from '../../translate/parse/request-error.ts';
import { isAbsent, parseArray, parseBoolean, parseObject, parseString } from '../../translate/parse/parse-value.ts';

/**
 * `tools` (protocol.md §1.6). Function tools are read and checked; every other type is kept as the client wrote it, also types we have never heard of: clients grow
 * them, and whether losing one matters is decided where the backend is known. Function names must be unique.
 */
export function parseTools(value: unknown, losses: Loss[]): ToolParam[] {
  const names = new Set<string>();
  return parseArray(value, 'tools').map((member, index) => {
    const path = `tools[${index}]`;
    const raw = parseObject(member, path);
    const toolType = parseString(raw.type, `${path}.type`, { min: 1 });
    if (toolType !== 'function') return { type: 'other', toolType, raw };
    const tool = parseFunctionTool(raw, path);
    if (names.has(tool.name)) {
      throw invalid(
        'invalid_value',
        `${path}.name`,
        `Invalid value: '${tool.name}'. Names of functions must be unique, and an earlier tool has this one.`,
      );
    }
    names.add(tool.name);
    noteUnservedSettings(raw, path, losses);
    return tool;
  });
}

/**
 * `strict` that is absent or null counts as false. OpenAI's own default is true, but there it comes with a rewritten schema and constrained decoding; most backends here
 * have neither, and the response echoes what is applied.
 */
function parseFunctionTool(tool: JsonObject, path: string): FunctionToolParam {
  if (tool.name === undefined && isJsonObject(tool.function)) {
    throw missingParameter(
      `${path}.name`,
      "In the Responses API 'name', 'description' and 'parameters' stand on the tool itself, not inside 'function'.",
    );
  }
  const name = parseFunctionName(tool.name, `${path}.name`);
  return {
    type: 'function',
    name,
    description: isAbsent(tool.description) ? null : parseString(tool.description, `${path}.description`),
    parameters: isAbsent(tool.parameters) ? null : parseFunctionParameters(tool.parameters, `${path}.parameters`, name),
    strict: isAbsent(tool.strict) ? false : parseBoolean(tool.strict, `${path}.strict`),
  };
}

/** Settings of a function tool that would change what the model sees or when it may call. */
function noteUnservedSettings(tool: JsonObject, path: string, losses: Loss[]): void {
  if (!isAbsent(tool.defer_loading) && parseBoolean(tool.defer_loading, `${path}.defer_loading`)) {
    losses.push({
      path: `${path}.defer_loading`,
      action: 'approximated',
      reason: 'the function is offered to the model at once',
    });
  }
  if (!isAbsent(tool.async) && parseBoolean(tool.async, `${path}.async`)) {
    losses.push({ path: `${path}.async`, action: 'dropped', reason: 'every call waits for its output' });
  }
  if (!isAbsent(tool.allowed_callers) && !parseArray(tool.allowed_callers, `${path}.allowed_callers`).includes('direct')) {
    losses.push({
      path: `${path}.allowed_callers`,
      action: 'dropped',
      reason: 'there are no programs here, so the model calls the function directly',
    });
  }
}
