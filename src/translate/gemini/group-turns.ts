import type { CallInput, CallOutputInput, InputItem, MessageInput, ReasoningInput } from '../../model/model-request.ts';
import type { ThoughtState } from './thought-state.ts';

export type ModelItem = MessageInput | ReasoningInput | CallInput;

/** What one side said without interruption. Call outputs stand between turns; they are looked up by their call. */
export type Turn =
  { readonly role: 'model'; readonly items: ModelItem[] } | { readonly role: 'user'; readonly items: MessageInput[] };

/** History without system messages → turns. A call output ends the model's turn: what follows it is the next step. */
export function groupTurns(items: readonly InputItem[]): Turn[] {
  const turns: Turn[] = [];
  let open: Turn | undefined;
  function begin(turn: Turn): void {
    turns.push(turn);
    open = turn;
  }
  for (const item of items) {
    if (item.type === 'call-output') open = undefined;
    else if (item.type === 'message' && item.role !== 'assistant') {
      if (open?.role === 'user') open.items.push(item);
      else begin({ role: 'user', items: [item] });
    } else if (open?.role === 'model') open.items.push(item);
    else begin({ role: 'model', items: [item] });
  }
  return turns;
}

/**
 * Puts parallel calls that a client wrote as call, output, call, output back into one turn: Gemini refuses that order. Gemini 3 signs the first call of every step, so a call
 * without any state right behind the outputs of a signed step was made beside it.
 */
export function joinParallelCalls(turns: readonly Turn[], states: ReadonlyMap<ReasoningInput, ThoughtState>): Turn[] {
  const joined: Turn[] = [];
  for (const turn of turns) {
    const last = joined.at(-1);
    if (
      last?.role === 'model' &&
      turn.role === 'model' &&
      turn.items.every((item) => item.type === 'call') &&
      isSigned(last.items, states)
    ) {
      last.items.push(...turn.items);
    } else joined.push(turn);
  }
  return joined;
}

function isSigned(items: readonly ModelItem[], states: ReadonlyMap<ReasoningInput, ThoughtState>): boolean {
  const first = items.find((item) => item.type === 'call');
  const entries = items.flatMap((item) => (item.type === 'reasoning' ? (states.get(item)?.entries ?? []) : []));
  return entries.some((entry) => entry.on === 'call' && entry.callId === first?.callId && entry.signature !== undefined);
}

/** Takes the output of a call. Ids may come again in a later turn, so each is taken once, in order. */
export function createOutputLookup(items: readonly InputItem[]): {
  take(call: CallInput): CallOutputInput | undefined;
  left(): readonly CallOutputInput[];
} {
  const waiting = new Map<string, CallOutputInput[]>();
  for (const item of items) {
    if (item.type === 'call-output') waiting.set(item.callId, [...(waiting.get(item.callId) ?? []), item]);
  }
  return {
    take: (call) => waiting.get(call.callId)?.shift(),
    left: () => [...waiting.values()].flat(),
  };
}
