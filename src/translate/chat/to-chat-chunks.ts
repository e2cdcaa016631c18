import type { Stage } from '../../lib/stage.ts';
import type {
  ChatAnnotation,
  ChatCompletionChunk,
  ChatDelta,
  ChatFinishReason,
  ChatLogprobs,
  ChatReasoningDetail,
  ChatStreamError,
} from '../../protocol/chat/answer.ts';
import type { ResponseEvent } from '../../protocol/responses/event.ts';
import type { FunctionCallItem, OutputItem } from '../../protocol/responses/items.ts';
import type { ResponseResource } from '../../protocol/responses/response.ts';
import {
  mapChatFinish,
  toChatAnnotation,
  toChatUsage,
  toCompletionId,
  toReasoningDetail,
  type ChatFacts,
} from './chat-answer.ts';
import { JoinedText } from './joined-text.ts';

/** Of one kind of event. */
type EventOf<T extends ResponseEvent['type']> = Extract<ResponseEvent, { type: T }>;

/** What the terminal event does not say. */
interface ChatEnd {
  /** Why the response failed, its `param` in the client's words. */
  readonly failure: { readonly message: string; readonly param: string | null } | null;
}

const unknownEnd: ChatEnd = { failure: null };

/**
 * Response events → chat-completion chunks of one stream. The first has the role and the content `''`; sources and sealed reasoning come whole, in one chunk before the
 * last choice, because the official client keeps only the last delta of what it does not know; the usage follows with `choices: []` where the client asked for it.
 *
 * A failure is one last frame with `error` and nothing else: the official clients throw on it, and who does not know it finds neither a `finish_reason` nor `[DONE]` and so
 * cannot take a broken answer for a whole one. What a chat has no words for (web searches, repeated `in_progress`) yields nothing.
 */
export function toChatChunks(
  facts: ChatFacts,
  late: ChatEnd = unknownEnd,
): Stage<ResponseEvent, ChatCompletionChunk | ChatStreamError> {
  return new ChatStream(facts, late);
}

class ChatStream implements Stage<ResponseEvent, ChatCompletionChunk | ChatStreamError> {
  readonly #facts: ChatFacts;
  readonly #late: ChatEnd;
  readonly #text = new JoinedText();
  readonly #refusal = new JoinedText();
  readonly #thinking = new JoinedText();
  readonly #annotations: ChatAnnotation[] = [];
  readonly #details: ChatReasoningDetail[] = [];
  #calls = 0;
  /** Members that all chunks share; set by the first event. */
  #id = '';
  #created = 0;
  #model = '';

  constructor(facts: ChatFacts, late: ChatEnd) {
    this.#facts = facts;
    this.#late = late;
  }

  // A dispatch table: one line per kind of event.
  push(event: ResponseEvent): readonly (ChatCompletionChunk | ChatStreamError)[] {
    switch (event.type) {
      case 'response.created':
        return this.#begin(event.response);
      case 'response.output_item.added':
        return this.#addItem(event.item);
      case 'response.output_text.delta':
        return this.#addText(event);
      case 'response.refusal.delta':
        return [this.#chunk({ refusal: this.#refusal.add(event.delta) })];
      case 'response.reasoning_summary_part.added':
        this.#thinking.begin();
        return [];
      case 'response.reasoning_summary_text.delta':
        return [this.#chunk({ reasoning_content: this.#thinking.add(event.delta) })];
      case 'response.function_call_arguments.delta':
        return [this.#chunk(this.#toArguments(event.delta))];
      case 'response.output_text.annotation.added':
        this.#annotations.push(toChatAnnotation(event.annotation, this.#text.start));
        return [];
      case 'response.output_item.done':
        return this.#endItem(event.item);
      case 'response.completed':
      case 'response.incomplete':
        return this.#end(event.response);
      case 'response.failed':
        return [toStreamError(event.response, this.#late)];
      default:
        return [];
    }
  }

  /** Whatever has to be said is said with the terminal event. */
  end(): readonly (ChatCompletionChunk | ChatStreamError)[] {
    return [];
  }

  #begin({ id, created_at, model }: ResponseResource): readonly ChatCompletionChunk[] {
    this.#id = toCompletionId(id);
    this.#created = created_at;
    this.#model = model;
    return [this.#chunk({ role: 'assistant', content: '', refusal: null })];
  }

  #addItem(item: OutputItem): readonly ChatCompletionChunk[] {
    if (item.type === 'message') {
      this.#text.begin();
      this.#refusal.begin();
    }
    return item.type === 'function_call' ? [this.#chunk(this.#toCall(item))] : [];
  }

  #addText({ delta, logprobs }: EventOf<'response.output_text.delta'>): readonly ChatCompletionChunk[] {
    const content = this.#text.add(delta);
    return [this.#chunk({ content }, logprobs.length === 0 ? null : { content: logprobs, refusal: null })];
  }

  #toCall({ call_id, name }: FunctionCallItem): ChatDelta {
    const index = this.#calls++;
    const named = { name, arguments: '' };
    if (this.#facts.isLegacy) return { function_call: named };
    return { tool_calls: [{ index, id: call_id, type: 'function', function: named }] };
  }

  #toArguments(delta: string): ChatDelta {
    if (this.#facts.isLegacy) return { function_call: { arguments: delta } };
    return { tool_calls: [{ index: this.#calls - 1, function: { arguments: delta } }] };
  }

  #endItem(item: OutputItem): readonly ChatCompletionChunk[] {
    if (item.type === 'reasoning' && item.encrypted_content !== undefined)
      this.#details.push(toReasoningDetail(item.id, item.encrypted_content, this.#details.length));
    return [];
  }

  #end(response: ResponseResource): readonly ChatCompletionChunk[] {
    const late: ChatDelta = {};
    if (this.#details.length > 0) late.reasoning_details = this.#details;
    if (this.#annotations.length > 0) late.annotations = this.#annotations;
    return [
      ...(Object.keys(late).length > 0 ? [this.#chunk(late)] : []),
      this.#chunk({}, null, mapChatFinish(response, this.#facts)),
      ...(this.#facts.includesUsage ? [{ ...this.#envelope([]), usage: toChatUsage(response.usage) }] : []),
    ];
  }

  #chunk(
    delta: ChatDelta,
    logprobs: ChatLogprobs | null = null,
    finish_reason: ChatFinishReason | null = null,
  ): ChatCompletionChunk {
    const chunk = this.#envelope([{ index: 0, delta, logprobs, finish_reason }]);
    if (this.#facts.includesUsage) chunk.usage = null;
    return chunk;
  }

  #envelope(choices: ChatCompletionChunk['choices']): ChatCompletionChunk {
    return {
      id: this.#id,
      object: 'chat.completion.chunk',
      created: this.#created,
      model: this.#model,
      system_fingerprint: null,
      choices,
    };
  }
}

function toStreamError({ error }: ResponseResource, { failure }: ChatEnd): ChatStreamError {
  const { type, code } = error ?? unknownFailure;
  const { message, param } = failure ?? error ?? unknownFailure;
  // Real OpenAI has no code for these.
  return { error: { message, type, param, code: code === 'invalid_request_error' ? null : code } };
}

const unknownFailure = { message: 'The answer failed.', type: 'server_error', param: null, code: 'server_error' };
