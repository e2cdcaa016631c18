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
  AiSdkAssistantPart,
  AiSdkMessage,
  AiSdkReasoningPart,
  AiSdkToolCallPart,
  AiSdkToolResultPart,
  AiSdkUserPart,
} from '../../protocol/ai-sdk/call-options.ts';
import { ChatCallIds } from '../chat/chat-call-ids.ts';
import { joinTexts } from '../chat/to-chat-content.ts';
import type { ToolNames } from '../tool-names.ts';
import { decodeAiSdkState, type AiSdkState } from './ai-sdk-state.ts';
import { cutText } from './cut-text.ts';
import { toAiSdkContent, type AiSdkContentOptions } from './to-ai-sdk-content.ts';
import { toAiSdkOutput } from './to-ai-sdk-output.ts';

export interface AiSdkPromptOptions extends AiSdkContentOptions {
  readonly toolNames: ToolNames;
}

type TurnItem = MessageInput | ReasoningInput | CallInput;

/** The history as a prompt. All system texts are one message at the beginning, because several providers refuse any other place; what a model did between two others is one message, directly followed by the outputs of its calls. */
export function toAiSdkPrompt(request: ModelRequest, options: AiSdkPromptOptions): AiSdkMessage[] {
  const prompt = new PromptWriter(request, options);
  for (const item of request.input) prompt.add(item);
  return prompt.finish();
}

class PromptWriter {
  readonly #model: string;
  readonly #options: AiSdkPromptOptions;
  readonly #messages: AiSdkMessage[] = [];
  readonly #system: string[];
  readonly #outputs = new Map<string, CallOutputInput[]>();
  readonly #callIds: ChatCallIds;
  /** The model's own states, read once. */
  readonly #states = new Map<ReasoningInput, AiSdkState | null>();
  /** A client may have put a state elsewhere than it stood: calls are found by their ids. */
  readonly #callOptions: { [callId: string]: AiSdkToolCallPart['providerOptions'] } = {};
  #turn: TurnItem[] = [];

  constructor({ model, instructions, input }: ModelRequest, options: AiSdkPromptOptions) {
    this.#model = model;
    this.#options = options;
    this.#system = [instructions ?? ''];
    this.#callIds = new ChatCallIds({ exactlyNine: options.profile.family === 'mistral' });
    for (const item of input) {
      if (item.type === 'reasoning') this.#readState(item);
      if (item.type !== 'call-output') continue;
      this.#outputs.set(item.callId, [...(this.#outputs.get(item.callId) ?? []), item]);
    }
  }

  add(item: InputItem): void {
    if (item.type === 'call-output') this.#closeTurn();
    else if (item.type !== 'message' || item.role === 'assistant') this.#turn.push(item);
    else if (item.role === 'user') {
      this.#closeTurn();
      this.#addUser(toAiSdkContent(item.content, this.#options));
    } else this.#addSystem(item);
  }

  finish(): AiSdkMessage[] {
    this.#closeTurn();
    const system = joinTexts(this.#system);
    if (this.#messages.length === 0) this.#addMadeUpUser();
    return system === '' ? this.#messages : [{ role: 'system', content: system }, ...this.#messages];
  }

  #readState(item: ReasoningInput): void {
    if (item.state === null) return;
    const state = decodeAiSdkState(item.state, this.#model);
    this.#states.set(item, state);
    Object.assign(this.#callOptions, state?.calls);
    if (state !== null) return;
    const reason = 'the reasoning state was made by another server or model and means nothing to this one';
    this.#options.report({ path: item.path, action: 'dropped', reason });
  }

  #addSystem({ content, path }: MessageInput): void {
    const text = this.#toText(content);
    if (text === '') return;
    this.#system.push(text);
    if (this.#messages.length === 0 && this.#turn.length === 0) return;
    const reason = 'many providers take system text only at the beginning, so it was moved there';
    this.#options.report({ path, action: 'approximated', reason });
  }

  #toText(content: readonly ContentPart[]): string {
    return joinTexts(
      content.map((part) => {
        if (part.type === 'text' || part.type === 'refusal') return part.text;
        const reason = `only messages of the user may hold a part of type ${part.type}`;
        this.#options.report({ path: part.path, action: 'dropped', reason });
        return '';
      }),
    );
  }

  /** Two messages of the user in a row would break the alternation that some models insist on. */
  #addUser(content: AiSdkUserPart[]): void {
    if (content.length === 0) return;
    const last = this.#messages.at(-1);
    if (last?.role === 'user') last.content.push(...content);
    else this.#messages.push({ role: 'user', content });
  }

  #addMadeUpUser(): void {
    this.#addUser([{ type: 'text', text: 'Go on.' }]);
    const reason = 'models want a message of the user, so one was made up';
    this.#options.report({ path: 'input', action: 'emulated', reason });
  }

  #closeTurn(): void {
    const turn = this.#turn;
    if (turn.length === 0) return;
    this.#turn = [];
    const calls = turn.filter((item) => item.type === 'call').map((call) => ({ call, id: this.#callIds.next(call.callId) }));
    const content = this.#toContent(turn, new Map(calls.map(({ call, id }) => [call, id])));
    if (content.every(({ type }) => type === 'reasoning')) return this.#reportLonely(turn, content.length > 0);
    this.#messages.push({ role: 'assistant', content });
    this.#addOutputs(calls);
  }

  #toContent(turn: readonly TurnItem[], ids: ReadonlyMap<CallInput, string>): AiSdkAssistantPart[] {
    const marks = turn.flatMap((item) => (item.type === 'reasoning' ? (this.#states.get(item)?.texts ?? []) : []));
    let length = 0;
    return turn.flatMap((item): AiSdkAssistantPart[] => {
      if (item.type === 'reasoning') return this.#toReasoning(item);
      if (item.type === 'call') return [this.#toCall(item, ids.get(item) ?? item.callId)];
      const text = this.#toText(item.content);
      const start = length;
      length += text.length;
      return cutText(text, start, marks);
    });
  }

  /** Text of whatever origin is just text; a state of this model says itself whether there is any. */
  #toReasoning(item: ReasoningInput): AiSdkReasoningPart[] {
    const state = this.#states.get(item) ?? null;
    if (state === null) return item.text === '' ? [] : [{ type: 'reasoning', text: item.text }];
    if (state.reasoning === undefined) return [];
    const { text, metadata } = state.reasoning;
    return [{ type: 'reasoning', text, ...(metadata !== undefined && { providerOptions: metadata }) }];
  }

  #toCall(call: CallInput, toolCallId: string): AiSdkToolCallPart {
    const { toolNames, report } = this.#options;
    const parsed = call.arguments.trim() === '' ? {} : parseJson(call.arguments);
    if (!isJsonObject(parsed)) {
      const reason = 'the arguments are no JSON object, so they were wrapped into one';
      report({ path: `${call.path}.arguments`, action: 'approximated', reason });
    }
    const input = isJsonObject(parsed) ? parsed : { arguments: call.arguments };
    const providerOptions = this.#callOptions[call.callId];
    const toolName = toolNames.toAlias(call.name);
    return { type: 'tool-call', toolCallId, toolName, input, ...(providerOptions !== undefined && { providerOptions }) };
  }

  #reportLonely(turn: readonly TurnItem[], isThinking: boolean): void {
    const [first] = turn;
    if (!isThinking || first === undefined) return;
    const reason = 'thinking that led to no answer has no place in a prompt';
    this.#options.report({ path: first.path, action: 'dropped', reason });
  }

  #addOutputs(calls: readonly { readonly call: CallInput; readonly id: string }[]): void {
    const results: AiSdkToolResultPart[] = [];
    const following: AiSdkUserPart[] = [];
    for (const { call, id } of calls) {
      const output = this.#outputs.get(call.callId)?.shift();
      const { value, media } = toAiSdkOutput(output, this.#options);
      results.push({ type: 'tool-result', toolCallId: id, toolName: this.#options.toolNames.toAlias(call.name), output: value });
      if (media.length > 0) following.push({ type: 'text', text: `What ${call.name} (${id}) returned beside text:` }, ...media);
    }
    if (results.length > 0) this.#messages.push({ role: 'tool', content: results });
    if (following.length > 0) this.#addUser(following);
  }
}
