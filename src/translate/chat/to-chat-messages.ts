import { isJsonObject, parseJson } from '../../lib/json.ts';
import type {
  CallInput,
  CallOutputInput,
  ContentPart,
  InputItem,
  MessageInput,
  ModelRequest,
  ReasoningInput,
} from '../../model/model-request.ts';
import type {
  ChatAssistantMessage,
  ChatMessage,
  ChatToolCall,
  ChatUserMessage,
  ChatUserPart,
} from '../../protocol/chat/request.ts';
import type { ToolNames } from '../tool-names.ts';
import { ChatCallIds } from './chat-call-ids.ts';
import type { ChatProfile } from './chat-profile.ts';
import { reasoningReplay, type ReasoningReplay } from './reasoning-replay.ts';
import { joinTexts, toMediaParts, toTextContent, toUserContent, type ReportLoss } from './to-chat-content.ts';
import { collectReasoning, toReasoningMembers, type CollectedReasoning } from './to-chat-reasoning.ts';

export interface ChatMessagesOptions {
  readonly profile: ChatProfile;
  readonly toolNames: ToolNames;
  /** What we add to the system text ourselves (a schema the server cannot enforce), or empty. */
  readonly extraInstructions: string;
  readonly report: ReportLoss;
}

/** What the model did between two other messages: it becomes one assistant message, and the outputs of its calls follow it directly. */
interface AssistantTurn {
  readonly reasoning: ReasoningInput[];
  readonly texts: string[];
  readonly refusals: string[];
  readonly calls: CallInput[];
  readonly isCurrent: boolean;
}

/** The history as chat messages, in the order and shape that strict servers insist on (backends.md C). */
export function toChatMessages(request: ModelRequest, options: ChatMessagesOptions): ChatMessage[] {
  const history = new ChatHistory(request, options);
  request.input.forEach((item, at) => {
    history.add(item, at);
  });
  return history.finish();
}

class ChatHistory {
  readonly #request: ModelRequest;
  readonly #options: ChatMessagesOptions;
  readonly #replay: ReasoningReplay;
  readonly #callIds: ChatCallIds;
  readonly #messages: ChatMessage[] = [];
  /** Texts of the one system message at the beginning. */
  readonly #system: string[] = [];
  readonly #outputs = new Map<string, CallOutputInput[]>();
  readonly #lastUserAt: number;
  #turn: AssistantTurn | undefined;

  constructor(request: ModelRequest, options: ChatMessagesOptions) {
    this.#request = request;
    this.#options = options;
    this.#replay = reasoningReplay(options.profile.vendor, request.model);
    this.#callIds = new ChatCallIds({ exactlyNine: options.profile.isMistral });
    this.#lastUserAt = request.input.findLastIndex((item) => item.type === 'message' && item.role === 'user');
    for (const item of request.input) {
      if (item.type !== 'call-output') continue;
      const outputs = this.#outputs.get(item.callId);
      if (outputs === undefined) this.#outputs.set(item.callId, [item]);
      else outputs.push(item);
    }
    this.#system.push(request.instructions ?? '');
  }

  add(item: InputItem, at: number): void {
    switch (item.type) {
      case 'message':
        return this.#addMessage(item, at);
      case 'reasoning':
        this.#openTurn(at).reasoning.push(item);
        return;
      case 'call':
        this.#openTurn(at).calls.push(item);
        return;
      case 'call-output':
        // The outputs of a turn are sent with the turn, in the order of its calls.
        return this.#closeTurn();
    }
  }

  finish(): ChatMessage[] {
    this.#closeTurn();
    const system = joinTexts([...this.#system, this.#options.extraInstructions]);
    const isEnough = system !== '' && !this.#options.profile.hasStrictTemplates;
    if (this.#messages.length === 0 && !isEnough) this.#addBlankUser();
    const messages: ChatMessage[] = system === '' ? this.#messages : [{ role: 'system', content: system }, ...this.#messages];
    const last = messages.at(-1);
    // Without it Mistral refuses a history that ends with its own words.
    if (this.#options.profile.isMistral && last?.role === 'assistant') last.prefix = true;
    return messages;
  }

  #addMessage(message: MessageInput, at: number): void {
    const { profile, report } = this.#options;
    switch (message.role) {
      case 'assistant':
        return this.#addAssistant(message, this.#openTurn(at));
      case 'user':
        this.#closeTurn();
        return this.#addUser(toUserContent(message.content, profile, report));
      case 'system':
      case 'developer':
        return this.#addSystem(message);
    }
  }

  #addAssistant(message: MessageInput, turn: AssistantTurn): void {
    const refusals = message.content.filter(({ type }) => type === 'refusal');
    const others = message.content.filter(({ type }) => type !== 'refusal');
    turn.texts.push(toTextContent(others, this.#options.report));
    turn.refusals.push(toTextContent(refusals, this.#options.report));
  }

  #addSystem(message: MessageInput): void {
    const { profile, report } = this.#options;
    const content = toTextContent(message.content, report);
    if (content === '') return;
    if (profile.hasDeveloperRole) {
      this.#closeTurn();
      this.#messages.push({ role: message.role === 'developer' ? 'developer' : 'system', content });
      return;
    }
    if (this.#messages.length > 0 || this.#turn !== undefined) {
      report({
        path: message.path,
        action: 'approximated',
        reason: 'this server takes one system message, so the text was moved to the beginning',
      });
    }
    this.#system.push(content);
  }

  /** No server takes an empty list, and strict chat templates refuse a conversation in which the user says nothing. */
  #addBlankUser(): void {
    this.#addUser(' ');
    this.#options.report({
      path: 'input',
      action: 'emulated',
      reason: 'this server wants a message of the user, so a blank one was put there',
    });
  }

  /** Strict chat templates refuse two user messages in a row, and Mistral one that follows a tool message. */
  #addUser(content: string | ChatUserPart[]): void {
    const { profile } = this.#options;
    const last = this.#messages.at(-1);
    if (last?.role === 'user' && profile.hasStrictTemplates) {
      last.content = joinContents(last, content);
      return;
    }
    if (last?.role === 'tool' && profile.isMistral) this.#messages.push({ role: 'assistant', content: 'OK.' });
    this.#messages.push({ role: 'user', content });
  }

  #openTurn(at: number): AssistantTurn {
    this.#turn ??= { reasoning: [], texts: [], refusals: [], calls: [], isCurrent: at > this.#lastUserAt };
    return this.#turn;
  }

  #closeTurn(): void {
    const turn = this.#turn;
    if (turn === undefined) return;
    this.#turn = undefined;
    const reasoning = collectReasoning(turn.reasoning, this.#request.model, this.#options.report);
    const message = this.#toAssistant(turn, reasoning);
    const calls = turn.calls.map((call) => ({ call, id: this.#callIds.next(call.callId) }));
    if (calls.length > 0) message.tool_calls = calls.map(({ call, id }) => this.#toToolCall(call, id, reasoning));
    if (message.content === '' && calls.length === 0 && message.refusal === undefined) return this.#reportEmptyTurn(turn);
    if (message.content === '' && !this.#options.profile.hasStrictTemplates) message.content = null;
    this.#messages.push(message);
    this.#addOutputs(calls);
  }

  #reportEmptyTurn({ reasoning }: AssistantTurn): void {
    if (this.#replay.when === 'never') return;
    for (const { path } of reasoning)
      this.#options.report({ path, action: 'dropped', reason: 'reasoning that led to no answer has no place in a chat' });
  }

  #toAssistant(turn: AssistantTurn, reasoning: CollectedReasoning): ChatAssistantMessage {
    const { profile } = this.#options;
    const refusal = joinTexts(turn.refusals);
    const text = joinTexts(profile.hasRefusalField ? turn.texts : [...turn.texts, refusal]);
    const message: ChatAssistantMessage = {
      role: 'assistant',
      content: text,
      ...toReasoningMembers(reasoning, this.#replay, turn.isCurrent),
    };
    if (this.#replay.as === 'thinking-part' && reasoning.text !== '') {
      message.content = [{ type: 'thinking', thinking: [{ type: 'text', text: reasoning.text }], closed: true }];
      if (text !== '') message.content.push({ type: 'text', text });
    }
    if (profile.hasRefusalField && refusal !== '') message.refusal = refusal;
    if (reasoning.message !== undefined) message.extra_content = reasoning.message;
    return message;
  }

  #toToolCall(call: CallInput, id: string, reasoning: CollectedReasoning): ChatToolCall {
    const extra = reasoning.calls[call.callId];
    return {
      id,
      type: 'function',
      function: { name: this.#options.toolNames.toAlias(call.name), arguments: this.#toArguments(call) },
      ...(extra !== undefined && { extra_content: extra }),
    };
  }

  /** Ollama answers 400 to arguments that are no JSON object, and chat templates of others break on them. */
  #toArguments(call: CallInput): string {
    if (call.arguments.trim() === '') return '{}';
    if (!this.#options.profile.parsesArguments || isJsonObject(parseJson(call.arguments))) return call.arguments;
    this.#options.report({
      path: `${call.path}.arguments`,
      action: 'approximated',
      reason: 'the arguments are no JSON object, so they were wrapped into one',
    });
    return JSON.stringify({ arguments: call.arguments });
  }

  /** Tool messages carry only text, so everything else follows in a message of the user. */
  #addOutputs(calls: readonly { call: CallInput; id: string }[]): void {
    const following: ChatUserPart[] = [];
    for (const { call, id } of calls) {
      const output = this.#outputs.get(call.callId)?.shift();
      if (output?.isError === true) this.#reportFailedTool(output);
      const { text, media } = this.#toOutput(output?.content ?? []);
      if (media.length > 0) following.push({ type: 'text', text: `What ${call.name} (${id}) returned beside text:` }, ...media);
      const name = this.#options.profile.isMistral ? { name: this.#options.toolNames.toAlias(call.name) } : {};
      this.#messages.push({
        role: 'tool',
        tool_call_id: id,
        ...name,
        content: text === '' && media.length > 0 ? '(see the next message of the user)' : text,
      });
    }
    if (following.length > 0) this.#addUser(following);
  }

  #reportFailedTool({ path }: CallOutputInput): void {
    const reason = 'this protocol has no mark for a tool that failed; its output says so, or nothing does';
    this.#options.report({ path, action: 'dropped', reason });
  }

  #toOutput(content: readonly ContentPart[]): { text: string; media: ChatUserPart[] } {
    const texts: string[] = [];
    const media: ChatUserPart[] = [];
    const { profile, report } = this.#options;
    for (const part of content) {
      const parts =
        part.type === 'text' || part.type === 'refusal'
          ? [{ type: 'text' as const, text: part.text }]
          : toMediaParts(part, profile, report);
      for (const translated of parts) {
        if (translated.type === 'text') texts.push(translated.text);
        else {
          report({ path: part.path, action: 'emulated', reason: 'it was put into a user message after the tool outputs' });
          media.push(translated);
        }
      }
    }
    return { text: joinTexts(texts), media };
  }
}

function joinContents(message: ChatUserMessage, more: string | ChatUserPart[]): string | ChatUserPart[] {
  if (typeof message.content === 'string' && typeof more === 'string') return joinTexts([message.content, more]);
  const toParts = (content: string | ChatUserPart[]): ChatUserPart[] =>
    typeof content === 'string' ? [{ type: 'text', text: content }] : content;
  return [...toParts(message.content), ...toParts(more)];
}
