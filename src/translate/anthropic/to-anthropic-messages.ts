import { isJsonObject, parseJson } from '../../lib/json.ts';
import type {
  CallInput,
  CallOutputInput,
  InputItem,
  MessageInput,
  ModelRequest,
  ReasoningInput,
} from '../../model/model-request.ts';
import type {
  AnthropicBlock,
  AnthropicMessage,
  AnthropicTextBlock,
  AnthropicToolUseBlock,
} from '../../protocol/anthropic/request.ts';
import type { ToolNames } from '../tool-names.ts';
import { AnthropicCallIds } from './anthropic-call-ids.ts';
import type { AnthropicModelTraits } from './anthropic-model-traits.ts';
import { decodeThinking } from './anthropic-thinking-state.ts';
import { toAnthropicBlocks, toTextBlocks, toTexts, toToolResult, type ReportLoss } from './to-anthropic-content.ts';

export interface AnthropicMessagesOptions {
  readonly names: ToolNames;
  readonly traits: AnthropicModelTraits;
  /** Thinking is turned off for this turn: signed thinking of earlier ones stays out. */
  readonly leavesThinkingOut: boolean;
  /** The model will think, so it cannot continue words put into its mouth. */
  readonly willThink: boolean;
  readonly report: ReportLoss;
}

export interface AnthropicHistory {
  /** Instructions and the system messages before everything else. */
  readonly system: AnthropicTextBlock[];
  readonly messages: AnthropicMessage[];
  /** The model is in the middle of calling tools and what it thought at the beginning of that is not there: a model with a budget must not think on then. */
  readonly lacksThinking: boolean;
}

/** What the model did between two other messages. */
interface AssistantTurn {
  readonly blocks: AnthropicBlock[];
  readonly calls: { readonly id: string; readonly callId: string }[];
}

/** Stands where Anthropic wants a message of the user and there is none. Blank texts are refused. */
const placeholder = '(no message)';

/**
 * The history in the shape Anthropic insists on (backends.md D): user and assistant alternate, beginning with the user; all results of one assistant message stand first in the next
 * user message, in the order of the calls; thinking goes back only where its signature does. A system message in the middle becomes a text of the user in `<system>` tags, at its place.
 */
export function toAnthropicMessages(request: ModelRequest, options: AnthropicMessagesOptions): AnthropicHistory {
  const history = new AnthropicWriter(request, options);
  for (const item of request.input) history.add(item);
  return history.finish();
}

class AnthropicWriter {
  readonly #request: ModelRequest;
  readonly #options: AnthropicMessagesOptions;
  readonly #system: AnthropicTextBlock[];
  readonly #messages: AnthropicMessage[] = [];
  readonly #callIds = new AnthropicCallIds();
  readonly #outputs = new Map<string, CallOutputInput[]>();
  readonly #lostThinking = new Set<string>();
  #turn: AssistantTurn | undefined;
  #hasBegun = false;

  constructor(request: ModelRequest, options: AnthropicMessagesOptions) {
    this.#request = request;
    this.#options = options;
    this.#system = toTextBlocks(request.instructions ?? '');
    for (const item of request.input) {
      if (item.type !== 'call-output') continue;
      const outputs = this.#outputs.get(item.callId);
      if (outputs === undefined) this.#outputs.set(item.callId, [item]);
      else outputs.push(item);
    }
  }

  add(item: InputItem): void {
    if (item.type === 'message' && (item.role === 'system' || item.role === 'developer')) return this.#addSystem(item);
    this.#hasBegun = true;
    switch (item.type) {
      case 'message':
        return this.#addMessage(item);
      case 'reasoning':
        return this.#addThinking(item);
      case 'call':
        return this.#addCall(item);
      case 'call-output':
        // The results of a turn are sent with the turn, in the order of its calls.
        return this.#closeTurn();
    }
  }

  finish(): AnthropicHistory {
    this.#closeTurn();
    const messages = this.#messages;
    const isLoop = lacksThinking(messages);
    this.#settleBeginning();
    this.#settleEnd();
    return { system: this.#system, messages, lacksThinking: isLoop };
  }

  #addSystem(message: MessageInput): void {
    const texts = toTexts(message.content, this.#options.report);
    if (!this.#hasBegun) {
      this.#system.push(...texts.map((text) => ({ type: 'text' as const, text })));
      return;
    }
    if (texts.length === 0) return;
    this.#closeTurn();
    this.#addUser([{ type: 'text', text: `<system>\n${texts.join('\n\n')}\n</system>` }]);
    const reason = 'Anthropic has system text only before the conversation; this message became a marked text of the user';
    this.#options.report({ path: message.path, action: 'emulated', reason });
  }

  #addMessage(message: MessageInput): void {
    if (message.role === 'assistant') {
      const texts = toTexts(message.content, this.#options.report);
      if (texts.length > 0) this.#openTurn().blocks.push(...texts.map((text) => ({ type: 'text' as const, text })));
      return;
    }
    this.#closeTurn();
    this.#addUser(toAnthropicBlocks(message.content, this.#options.report));
  }

  #addThinking({ state, text, path }: ReasoningInput): void {
    const block = state === null ? null : decodeThinking(state, this.#request.model, text);
    if (block !== null && !this.#options.leavesThinkingOut) this.#openTurn().blocks.push(block);
    else if (block !== null) this.#loseThinking(path, 'thinking is off for this turn, so earlier thinking was left out');
    else if (state === null) this.#loseThinking(path, 'thinking without a signature of this model cannot be sent to it');
    else this.#loseThinking(path, 'another model or server made this reasoning, so this one cannot read it');
  }

  #loseThinking(path: string, reason: string): void {
    if (this.#lostThinking.has(path)) return;
    this.#lostThinking.add(path);
    this.#options.report({ path, action: 'dropped', reason });
  }

  #addCall(call: CallInput): void {
    const turn = this.#openTurn();
    const id = this.#callIds.next(call.callId);
    turn.calls.push({ id, callId: call.callId });
    turn.blocks.push({ type: 'tool_use', id, name: this.#options.names.toAlias(call.name), input: this.#toInput(call) });
  }

  #toInput(call: CallInput): AnthropicToolUseBlock['input'] {
    if (call.arguments.trim() === '') return {};
    const input = parseJson(call.arguments);
    if (isJsonObject(input)) return input;
    const reason = 'the arguments are no JSON object, so they were wrapped into one';
    this.#options.report({ path: `${call.path}.arguments`, action: 'approximated', reason });
    return { arguments: call.arguments };
  }

  #openTurn(): AssistantTurn {
    this.#turn ??= { blocks: [], calls: [] };
    return this.#turn;
  }

  #closeTurn(): void {
    const turn = this.#turn;
    if (turn === undefined) return;
    this.#turn = undefined;
    const content = withoutLooseThinking(orderBlocks(turn.blocks));
    if (content.length < turn.blocks.length)
      this.#loseThinking('input', 'thinking that led to no answer has no place in the history of this server');
    if (content.length === 0) return;
    const last = this.#messages.at(-1);
    if (last?.role === 'assistant') last.content.push(...content);
    else this.#messages.push({ role: 'assistant', content });
    if (turn.calls.length === 0) return;
    const results = turn.calls.map(({ id, callId }) =>
      toToolResult(id, this.#outputs.get(callId)?.shift(), this.#options.report),
    );
    this.#messages.push({ role: 'user', content: results });
  }

  #addUser(content: readonly AnthropicBlock[]): void {
    if (content.length === 0) return;
    const last = this.#messages.at(-1);
    if (last?.role === 'user') last.content.push(...content);
    else this.#messages.push({ role: 'user', content: [...content] });
  }

  #settleBeginning(): void {
    if (this.#messages[0]?.role === 'user') return;
    this.#messages.unshift({ role: 'user', content: [{ type: 'text', text: placeholder }] });
    const reason = 'a conversation begins with the user there, so a message was put first';
    this.#options.report({ path: 'input', action: 'emulated', reason });
  }

  /** Words of the model at the end are the beginning of its answer, where it takes that. */
  #settleEnd(): void {
    const last = this.#messages.at(-1);
    if (last?.role !== 'assistant') return;
    if (!this.#options.traits.takesPrefill || this.#options.willThink) {
      this.#addUser([{ type: 'text', text: 'Continue.' }]);
      const reason = 'this model does not continue a message of its own, so it was asked to';
      this.#options.report({ path: 'input', action: 'emulated', reason });
      return;
    }
    // White space at the end is refused.
    const end = last.content.at(-1);
    if (end?.type === 'text') end.text = end.text.trimEnd();
  }
}

/** Calls come last: nothing may stand between them and their results. */
function orderBlocks(blocks: readonly AnthropicBlock[]): AnthropicBlock[] {
  const isCall = ({ type }: AnthropicBlock): boolean => type === 'tool_use';
  return [...blocks.filter((block) => !isCall(block)), ...blocks.filter(isCall)];
}

/** A message must not end with thinking. */
function withoutLooseThinking(blocks: AnthropicBlock[]): AnthropicBlock[] {
  return blocks.slice(0, blocks.findLastIndex((block) => !isThinking(block)) + 1);
}

function isThinking({ type }: AnthropicBlock): boolean {
  return type === 'thinking' || type === 'redacted_thinking';
}

/** From the end back over all steps of calls and results, to the message with which the model began them. */
function lacksThinking(messages: readonly AnthropicMessage[]): boolean {
  let beginning: AnthropicMessage | undefined;
  for (let at = messages.length - 1; at > 0; at -= 2) {
    if (messages[at]?.content.some(({ type }) => type === 'tool_result') !== true) break;
    beginning = messages[at - 1];
  }
  const first = beginning?.content[0];
  return first !== undefined && !isThinking(first);
}
