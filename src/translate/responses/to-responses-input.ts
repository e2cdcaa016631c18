import type { CallOutputInput, InputItem, MessageInput, ModelRequest, ReasoningInput } from '../../model/model-request.ts';
import type { BodyInputPart, BodyItem } from '../../protocol/responses/create-body.ts';
import { ChatCallIds } from '../chat/chat-call-ids.ts';
import { joinTexts, type ReportLoss } from '../chat/to-chat-content.ts';
import type { ToolNames } from '../tool-names.ts';
import { fromResponsesState, type ResponsesReasoning } from './responses-reasoning-state.ts';
import type { ResponsesProfile } from './responses-profile.ts';
import { toInputParts } from './to-input-parts.ts';

export interface ResponsesInputOptions {
  readonly profile: ResponsesProfile;
  readonly toolNames: ToolNames;
  readonly report: ReportLoss;
}

/** Of the Responses API (protocol.md); servers like xAI and Bedrock make such ids. */
const longestCallId = 64;

/** The whole history as input items. */
export function toResponsesInput(request: ModelRequest, options: ResponsesInputOptions): BodyItem[] {
  const history = new ResponsesHistory(request, options);
  request.input.forEach((item, at) => {
    history.add(item, at);
  });
  return history.finish();
}

class ResponsesHistory {
  readonly #request: ModelRequest;
  readonly #options: ResponsesInputOptions;
  readonly #callIds = new ChatCallIds({ exactlyNine: false, maxLength: longestCallId });
  /** The id that a call got, by the client's; a later call may have the same one. */
  readonly #sentIds = new Map<string, string>();
  readonly #items: BodyItem[] = [];
  /** What functions returned beside text, for servers that take only text of them. */
  #following: BodyInputPart[] = [];

  constructor(request: ModelRequest, options: ResponsesInputOptions) {
    this.#request = request;
    this.#options = options;
  }

  add(item: InputItem, at: number): void {
    if (item.type !== 'call-output') this.#addFollowing();
    switch (item.type) {
      case 'message':
        return this.#addMessage(item);
      case 'reasoning':
        return this.#addReasoning(item, at);
      case 'call': {
        const id = this.#callIds.next(item.callId);
        this.#sentIds.set(item.callId, id);
        const text = item.arguments.trim() === '' ? '{}' : item.arguments;
        this.#items.push({
          type: 'function_call',
          call_id: id,
          name: this.#options.toolNames.toAlias(item.name),
          arguments: text,
        });
        return;
      }
      case 'call-output':
        return this.#addOutput(item);
    }
  }

  finish(): BodyItem[] {
    this.#addFollowing();
    return this.#items;
  }

  #addMessage(message: MessageInput): void {
    const { role, content } = message;
    if (role === 'assistant') {
      this.#addAssistant(message);
      return;
    }
    const { profile, report } = this.#options;
    const parts = content.flatMap((part) => toInputParts(part, profile, report));
    // A turn that says nothing would be refused; that something was here is told.
    if (parts.length === 0 && content.length > 0)
      parts.push({ type: 'input_text', text: '(an attachment that cannot be shown)' });
    const shownRole = role === 'developer' && !profile.hasDeveloperRole ? 'system' : role;
    this.#items.push({ type: 'message', role: shownRole, content: onlyText(parts) ?? parts });
  }

  /** Simple text is sent as text: several servers take parts only of messages that have an id. */
  #addAssistant({ content, phase }: MessageInput): void {
    const parts = content.flatMap((part): AssistantPart[] => {
      if (part.type === 'text') return [{ type: 'output_text', text: part.text }];
      if (part.type === 'refusal') return [{ type: 'refusal', refusal: part.text }];
      this.#options.report({ path: part.path, action: 'dropped', reason: `a message of the model cannot hold ${part.type}s` });
      return [];
    });
    const [only, ...others] = parts;
    if (only === undefined) return;
    const text = only.type === 'output_text' && others.length === 0 ? only.text : undefined;
    this.#items.push({ type: 'message', role: 'assistant', content: text ?? parts, ...(phase !== undefined && { phase }) });
  }

  /** Reasoning goes back only to the model that made it, unchanged, and in front of what it led to: alone it would be refused. */
  #addReasoning({ state, path }: ReasoningInput, at: number): void {
    const { report } = this.#options;
    const reasoning = state === null ? null : fromResponsesState(state, this.#request.model);
    if (reasoning === null) {
      const reason =
        state === null
          ? 'reasoning without what its server sealed of it cannot be handed back'
          : 'the reasoning state was made by another kind of server or another model and means nothing to this one';
      report({ path, action: 'dropped', reason });
    } else if (!leadsToAnswer(this.#request.input, at))
      report({ path, action: 'dropped', reason: 'reasoning that led to no answer cannot be handed back' });
    else this.#items.push(this.#toReasoning(reasoning));
  }

  #toReasoning({ id, sealed, summary, content }: ResponsesReasoning): BodyItem {
    return {
      type: 'reasoning',
      ...(id !== undefined && this.#options.profile.keepsReasoningIds && { id }),
      summary: summary.map((text) => ({ type: 'summary_text', text })),
      ...(content.length > 0 && { content: content.map((text) => ({ type: 'reasoning_text' as const, text })) }),
      ...(sealed !== undefined && { encrypted_content: sealed }),
    };
  }

  #addOutput({ callId, content, isError, path }: CallOutputInput): void {
    const { profile, report } = this.#options;
    const id = this.#sentIds.get(callId) ?? callId;
    if (isError === true)
      report({
        path,
        action: 'dropped',
        reason: 'this protocol has no mark for a tool that failed; its output says so, or nothing does',
      });
    const parts = content.flatMap((part) => toInputParts(part, profile, report));
    const text = onlyText(parts);
    if (text === undefined && profile.takesFiles) {
      this.#items.push({ type: 'function_call_output', call_id: id, output: parts });
      return;
    }
    const texts = parts.flatMap((part) => (part.type === 'input_text' ? [part.text] : []));
    const media = parts.filter(({ type }) => type !== 'input_text');
    if (media.length > 0) {
      report({ path, action: 'emulated', reason: 'what is no text in it was put into a user message after the tool outputs' });
      this.#following.push({ type: 'input_text', text: `What the call ${id} returned beside text:` }, ...media);
    }
    const said = text ?? joinTexts(texts);
    const isElsewhere = said === '' && media.length > 0;
    this.#items.push({
      type: 'function_call_output',
      call_id: id,
      output: isElsewhere ? '(see the next message of the user)' : said,
    });
  }

  #addFollowing(): void {
    if (this.#following.length === 0) return;
    this.#items.push({ type: 'message', role: 'user', content: this.#following });
    this.#following = [];
  }
}

type AssistantPart = { type: 'output_text'; text: string } | { type: 'refusal'; refusal: string };

/** One text, or none; undefined for all else. */
function onlyText(parts: readonly BodyInputPart[]): string | undefined {
  const [only, ...others] = parts;
  if (only === undefined) return '';
  return only.type === 'input_text' && others.length === 0 ? only.text : undefined;
}

/** Whether a message of the model or a call comes next, other reasoning aside. */
function leadsToAnswer(input: readonly InputItem[], at: number): boolean {
  const next = input.slice(at + 1).find(({ type }) => type !== 'reasoning');
  return next?.type === 'call' || (next?.type === 'message' && next.role === 'assistant');
}
