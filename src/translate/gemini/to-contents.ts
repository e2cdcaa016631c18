import type { Loss, Translated } from '../../model/loss.ts';
import type { InputItem, MessageInput, ModelRequest, ReasoningInput } from '../../model/model-request.ts';
import type { GeminiContent, GeminiMediaPart, GeminiPart } from '../../protocol/gemini/request.ts';
import type { ToolNames } from '../tool-names.ts';
import { createOutputLookup, groupTurns, joinParallelCalls } from './group-turns.ts';
import type { ModelTraits } from './model-traits.ts';
import { addSkipSignatures } from './skip-signatures.ts';
import { decodeThoughtState, type ThoughtState } from './thought-state.ts';
import { toFunctionResponse } from './to-function-response.ts';
import { toMediaPart } from './to-media-part.ts';
import { writeModelTurn, type WrittenCall } from './write-model-turn.ts';

/**
 * The history without system messages → `contents`. Roles alternate, calls of one step stand in one content and their responses, in the order of the calls, in the next one;
 * never empty, and begins with the user.
 */
export function toContents(request: ModelRequest, names: ToolNames, traits: ModelTraits): Translated<GeminiContent[]> {
  const items = request.input.filter(
    (item) => !(item.type === 'message' && (item.role === 'system' || item.role === 'developer')),
  );
  const losses: Loss[] = [];
  const states = readStates(items, request.model, losses);
  const turns = traits.isGemini3 ? joinParallelCalls(groupTurns(items), states) : groupTurns(items);
  const outputs = createOutputLookup(items);
  const contents: GeminiContent[] = [];
  const calls: WrittenCall[] = [];

  function append(role: GeminiContent['role'], parts: readonly GeminiPart[]): void {
    const last = contents.at(-1);
    if (parts.length === 0) return;
    if (last?.role === role) last.parts.push(...parts);
    else contents.push({ role, parts: [...parts] });
  }

  function appendResponses(written: readonly WrittenCall[]): void {
    const attachments: GeminiMediaPart[] = [];
    for (const { call, part } of written) {
      const output = outputs.take(call);
      if (output === undefined) continue;
      const { id, name } = part.functionCall;
      const response = toFunctionResponse(output, { name, id, takesMedia: traits.isGemini3 });
      append('user', [response.part]);
      attachments.push(...response.attachments);
      losses.push(...response.losses);
    }
    append('user', attachments);
  }

  for (const turn of turns) {
    if (turn.role === 'user') {
      for (const message of turn.items) append('user', toUserParts(message, losses));
      continue;
    }
    const written = writeModelTurn(turn.items, states, names);
    append('model', written.parts);
    calls.push(...written.calls);
    losses.push(...written.losses);
    appendResponses(written.calls);
  }
  for (const output of outputs.left())
    losses.push({ path: output.path, action: 'dropped', reason: 'the call that this output belongs to is not there' });
  if (contents[0]?.role !== 'user') {
    contents.unshift({ role: 'user', parts: [{ text: ' ' }] });
    losses.push({
      path: 'input',
      action: 'emulated',
      reason: 'a conversation with Gemini begins with the user, so a blank message was put first',
    });
  }
  if (traits.isGemini3) losses.push(...addSkipSignatures(contents, calls));
  return { value: contents, losses };
}

function readStates(items: readonly InputItem[], model: string, losses: Loss[]): ReadonlyMap<ReasoningInput, ThoughtState> {
  const states = new Map<ReasoningInput, ThoughtState>();
  for (const item of items) {
    if (item.type !== 'reasoning' || item.state === null) continue;
    const state = decodeThoughtState(item.state, model);
    if (state !== null) states.set(item, state);
    else
      losses.push({
        path: item.path,
        action: 'dropped',
        reason: 'this reasoning was made by another model, which alone can read it',
      });
  }
  return states;
}

function toUserParts(message: MessageInput, losses: Loss[]): GeminiPart[] {
  return message.content.flatMap((part): GeminiPart[] => {
    if (part.type === 'text' || part.type === 'refusal') return part.text === '' ? [] : [{ text: part.text }];
    const media = toMediaPart(part);
    losses.push(...media.losses);
    return media.value === null ? [] : [media.value];
  });
}
