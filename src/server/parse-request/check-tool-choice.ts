import type { ToolChoiceParam, ToolParam } from '../../protocol/responses/request.ts';
import { invalid, toPreview } from '../../translate/parse/request-error.ts';

/** Tools that are chosen one by one; of all others only the kind is chosen. */
const namedTypes: readonly string[] = ['function', 'custom'];

/** Throws 400 `invalid_value` when the choice demands a tool that the request does not declare: nobody could ever do what it says. */
export function checkToolChoice(choice: ToolChoiceParam, tools: readonly ToolParam[]): void {
  if (choice === 'none' || choice === 'auto') return;
  if (choice === 'required') {
    if (tools.length > 0) return;
    throw invalid('invalid_value', 'tool_choice', "Tool choice 'required' must be specified with 'tools' parameter.");
  }
  const declared = new Set(
    tools.map((tool) => (tool.type === 'function' ? toKey('function', tool.name) : toKey(tool.toolType, tool.raw.name))),
  );
  const wanted = toWanted(choice);
  wanted.forEach(({ type, name }, index) => {
    if (declared.has(toKey(type, name))) return;
    const path = choice.type === 'allowed_tools' ? `tool_choice.tools[${index}]` : 'tool_choice';
    throw invalid(
      'invalid_value',
      path,
      `Tool choice '${toPreview(typeof name === 'string' ? name : type)}' not found in 'tools' parameter.`,
    );
  });
}

function toWanted(choice: Exclude<ToolChoiceParam, string>): readonly { type: string; name?: unknown }[] {
  if (choice.type === 'allowed_tools') return choice.tools;
  return choice.type === 'function' ? [choice] : [{ type: choice.toolType, name: choice.raw.name }];
}

function toKey(type: string, name: unknown): string {
  return namedTypes.includes(type) ? `${type} ${typeof name === 'string' ? name : ''}` : toFamily(type);
}

/** Types that OpenAI renamed over time choose each other: `web_search_preview` and `web_search`, `computer_use_preview` and `computer`. */
function toFamily(type: string): string {
  if (type.startsWith('web_search')) return 'web_search';
  return type.startsWith('computer') ? 'computer' : type;
}
