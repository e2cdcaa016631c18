import { isJsonObject, parseJson } from '../../lib/json.ts';
import type { FunctionTool, ModelRequest } from '../../model/model-request.ts';
import type { ReasoningState } from '../../model/reasoning-state.ts';
import { askedTools, callableTools, chooseCalls, isCallDemanded } from './choose-calls.ts';
import { readConversation, toReasoningState, type Conversation } from './read-conversation.ts';
import type { RehearsalModel } from './rehearsal-models.ts';
import { generateObject } from './schema/generate-json.ts';
import { createTextHints, type TextHints } from './text-hints.ts';
import { writeAnswer, writeThinking } from './write-answer.ts';

/** What the model is about to do in one turn, before it is cut into events. */
export interface TurnPlan {
  /** Null when it does not think. */
  readonly thinking: { readonly parts: readonly string[]; readonly isShown: boolean; readonly state: ReasoningState } | null;
  /** Null when it calls tools instead. */
  readonly text: string | null;
  readonly calls: readonly PlannedCall[];
}

export interface PlannedCall {
  readonly name: string;
  /** JSON text. */
  readonly arguments: string;
}

/** Called when tool_choice is to be ignored and no fitting tool is offered. */
const uninvited: FunctionTool = { name: 'uninvited_tool', description: null, parameters: null, strict: false, path: 'tools' };

/** Decides what the model does. Pure: the same request makes the same plan. */
export function planTurn(request: ModelRequest, model: RehearsalModel): TurnPlan {
  const conversation = readConversation(request);
  const tools = toolsToCall(request, conversation, model);
  const hints = freshHints(request, conversation);
  const calls = tools.map((tool) => planCall(tool, hints, model.garblesArguments === true));
  return {
    thinking: planThinking(request, conversation, model),
    text: calls.length > 0 ? null : planText(request, conversation),
    calls,
  };
}

function toolsToCall(request: ModelRequest, conversation: Conversation, model: RehearsalModel): readonly FunctionTool[] {
  const chosen = chooseCalls(request, conversation);
  const callable = callableTools(request);
  const [first] = chosen.length > 0 ? chosen : callable;
  switch (model.insistsOn) {
    case undefined:
    case 'late-thinking':
      return chosen;
    case 'call':
      return first === undefined ? [] : [first];
    case 'calls':
      return first === undefined || conversation.outputs.length > 0 ? chosen : pairOf(first, chosen, callable);
    case 'disobedience':
      return conversation.isAskedAgain && model.neverObeys !== true ? chosen : disobedientTools(request, chosen);
    default:
      return [];
  }
}

/** At least two calls: of different tools where there are two. */
function pairOf(
  first: FunctionTool,
  chosen: readonly FunctionTool[],
  callable: readonly FunctionTool[],
): readonly FunctionTool[] {
  if (chosen.length >= 2) return chosen;
  return [first, callable.find(({ name }) => name !== first.name) ?? first];
}

/** With `none` a call, with a list of names a call outside of it, with `required` no call at all. */
function disobedientTools(request: ModelRequest, chosen: readonly FunctionTool[]): readonly FunctionTool[] {
  const { tools, toolChoice } = request;
  switch (toolChoice.type) {
    case 'auto':
      return chosen;
    case 'required':
      return [];
    case 'none':
      return [tools[0] ?? uninvited];
    case 'allowed':
    case 'required-of':
      return [tools.find(({ name }) => !toolChoice.names.includes(name)) ?? uninvited];
  }
}

/** Names of tools are no values; and what earlier calls of this exchange used is taken, so that the next call speaks of the next thing. */
function freshHints(request: ModelRequest, conversation: Conversation): TextHints {
  const hints = createTextHints(conversation.lastUserText);
  for (const { name } of request.tools) hints.take(name);
  for (const call of conversation.calls) {
    const values = parseJson(call.arguments);
    if (!isJsonObject(values)) continue;
    for (const value of Object.values(values)) if (typeof value === 'string' || typeof value === 'number') hints.take(value);
  }
  return hints;
}

function planCall(tool: FunctionTool, hints: TextHints, isGarbled: boolean): PlannedCall {
  const values = tool.parameters === null ? {} : generateObject({ schema: tool.parameters, hints, optional: 'mentioned' });
  const text = JSON.stringify(values);
  return { name: tool.name, arguments: isGarbled ? `${text.slice(0, -1)}, oops}` : text };
}

function planText(request: ModelRequest, conversation: Conversation): string {
  const { format } = request;
  if (format.type === 'text') return writeAnswer(request, conversation);
  if (format.type === 'json-object') return JSON.stringify({ answer: writeAnswer(request, conversation) });
  return JSON.stringify(
    generateObject({ schema: format.schema, hints: createTextHints(conversation.lastUserText), optional: 'all' }),
  );
}

function planThinking(request: ModelRequest, conversation: Conversation, model: RehearsalModel): TurnPlan['thinking'] {
  const { effort, summary } = request.reasoning;
  const isLate = model.insistsOn === 'late-thinking';
  const isAsked = effort === null ? summary !== null : effort !== 'none';
  if (!isAsked && !isLate) return null;
  const asked = askedTools(callableTools(request), conversation.lastUserText);
  const parts = writeThinking(conversation, { asked: asked.map(({ name }) => name), isDemanded: isCallDemanded(request) });
  return { parts, isShown: summary !== null || isLate, state: toReasoningState(request) };
}
