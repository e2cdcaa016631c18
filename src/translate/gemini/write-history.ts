import type { Loss } from '../../model/loss.ts';
import type { CallInput, CallOutputInput, InputItem, MessageInput, ReasoningInput } from '../../model/model-request.ts';
import type {
  GeminiCallPart,
  GeminiContent,
  GeminiMediaPart,
  GeminiPart,
  GeminiResponsePart,
} from '../../protocol/gemini/request.ts';
import type { ToolNames } from '../tool-names.ts';
import { createOutputLookup, groupTurns, joinParallelCalls } from './group-turns.ts';
import type { ModelTraits } from './model-traits.ts';
import { decodeThoughtState, type ThoughtState } from './thought-state.ts';
import { toFunctionResponse } from './to-function-response.ts';
import { toMediaPart } from './to-media-part.ts';
import { writeModelTurn } from './write-model-turn.ts';

export interface HistoryOptions {
  /** The upstream model id: signatures are bound to it. */
  readonly model: string;
  readonly names: ToolNames;
  readonly traits: ModelTraits;
}

/** One part, and the item it was written for; a function response and the media behind it belong to their call. */
export interface HistoryPart {
  readonly role: GeminiContent['role'];
  readonly part: GeminiPart;
  readonly item: InputItem;
}

/** A call and what came of it. */
export interface WrittenExchange {
  readonly call: CallInput;
  readonly part: GeminiCallPart;
  /** Calls of one step stand in one content, and their responses in the next one. */
  readonly step: number;
  /** Null when there is no output, which only happens in broken histories. */
  readonly answer: WrittenAnswer | null;
}

export interface WrittenAnswer {
  readonly output: CallOutputInput;
  readonly part: GeminiResponsePart;
  /** Media that must stand behind the function responses of the same content. */
  readonly attachments: readonly GeminiMediaPart[];
}

export interface WrittenHistory {
  readonly parts: readonly HistoryPart[];
  readonly exchanges: readonly WrittenExchange[];
  readonly losses: readonly Loss[];
}

/** A history without its system messages → parts in order: neighbours of one role are one content. Signatures that are missing stay missing (`skip-signatures`). */
export function writeHistory(input: readonly InputItem[], { model, names, traits }: HistoryOptions): WrittenHistory {
  const items = input.filter((item) => !(item.type === 'message' && (item.role === 'system' || item.role === 'developer')));
  const losses: Loss[] = [];
  const states = readStates(items, model, losses);
  const turns = traits.isGemini3 ? joinParallelCalls(groupTurns(items), states) : groupTurns(items);
  const outputs = createOutputLookup(items);
  const parts: HistoryPart[] = [];
  const exchanges: WrittenExchange[] = [];

  function answerCall(call: CallInput, { functionCall: { id, name } }: GeminiCallPart): WrittenAnswer | null {
    const output = outputs.take(call);
    if (output === undefined) return null;
    const { part, attachments, losses: lost } = toFunctionResponse(output, { name, id, takesMedia: traits.isGemini3 });
    losses.push(...lost);
    return { output, part, attachments };
  }

  for (const [step, turn] of turns.entries()) {
    if (turn.role === 'user') {
      for (const item of turn.items)
        parts.push(...toUserParts(item, losses).map((part) => ({ role: 'user', part, item }) as const));
      continue;
    }
    const written = writeModelTurn(turn.items, states, names);
    parts.push(...written.parts.map(({ part, item }) => ({ role: 'model', part, item }) as const));
    losses.push(...written.losses);
    const made = written.calls.map(({ call, part }) => ({ call, part, step, answer: answerCall(call, part) }));
    exchanges.push(...made);
    parts.push(...toAnswerParts(made));
  }
  for (const output of outputs.left())
    losses.push({ path: output.path, action: 'dropped', reason: 'the call that this output belongs to is not there' });
  return { parts, exchanges, losses };
}

/** All responses of a step, in the order of its calls, then the media that belong to them. */
function toAnswerParts(step: readonly WrittenExchange[]): readonly HistoryPart[] {
  const answered = step.flatMap(({ call, answer }) => (answer === null ? [] : [{ call, answer }]));
  return [
    ...answered.map(({ call, answer }) => ({ role: 'user', part: answer.part, item: call }) as const),
    ...answered.flatMap(({ call, answer }) => answer.attachments.map((part) => ({ role: 'user', part, item: call }) as const)),
  ];
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
