import type { JsonValue } from '../../lib/json.ts';
import type { ReasoningInput } from '../../model/model-request.ts';
import type { ChatAssistantMessage } from '../../protocol/chat/request.ts';
import { fromReasoningState, isBoundToModel, mergeReasoningDetails, type ChatReasoningData } from './chat-reasoning-state.ts';
import type { ReasoningReplay } from './reasoning-replay.ts';
import type { ReportLoss } from './to-chat-content.ts';

/** All that was thought for one assistant message. */
export interface CollectedReasoning {
  readonly text: string;
  readonly details: readonly JsonValue[];
  readonly message: JsonValue | undefined;
  readonly calls: { readonly [callId: string]: JsonValue };
}

/** Puts the reasoning of one assistant message together. State of another protocol or model is a loss; plain text of any origin is just text. */
export function collectReasoning(items: readonly ReasoningInput[], model: string, report: ReportLoss): CollectedReasoning {
  const all = items.map((item) => readItem(item, model, report));
  const calls: { [callId: string]: JsonValue } = {};
  for (const one of all) Object.assign(calls, one.calls);
  return {
    text: all
      .map(({ text }) => text ?? '')
      .filter((text) => text !== '')
      .join('\n\n'),
    details: mergeReasoningDetails(all.flatMap(({ details }) => details ?? [])),
    message: all.map(({ message }) => message).findLast((message) => message !== undefined),
    calls,
  };
}

function readItem({ text, state, path }: ReasoningInput, model: string, report: ReportLoss): ChatReasoningData {
  if (state === null) return { text };
  const data = state.format === 'chat' ? fromReasoningState(state) : null;
  if (data === null || (isBoundToModel(data) && state.model !== model)) {
    report({
      path,
      action: 'dropped',
      reason: `the reasoning state was made by ${data === null ? 'another kind of server' : 'another model'} and means nothing to this one`,
    });
    return { text: data?.text ?? text };
  }
  return { ...data, text: data.text ?? text };
}

/** The members of an assistant message that hand reasoning back. `isCurrentTurn`: no user message came after it. Mistral's form is part of the content, not here. */
export function toReasoningMembers(
  reasoning: CollectedReasoning,
  replay: ReasoningReplay,
  isCurrentTurn: boolean,
): Partial<ChatAssistantMessage> {
  const isWanted = replay.when === 'always' || (replay.when === 'current-turn' && isCurrentTurn);
  const text = isWanted ? reasoning.text : '';
  switch (replay.as) {
    case 'details':
      if (reasoning.details.length > 0 && isWanted) return { reasoning_details: reasoning.details };
      return text === '' ? {} : { reasoning: text };
    case 'reasoning':
      return text === '' ? {} : { reasoning: text };
    case 'reasoning_content':
      return text === '' && !replay.onEveryMessage ? {} : { reasoning_content: text };
    case 'thinking-part':
      return {};
  }
}
