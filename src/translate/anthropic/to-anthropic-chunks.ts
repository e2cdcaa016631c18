import type { Stage } from '../../lib/stage.ts';
import { GatewayError } from '../../model/errors.ts';
import type { AnthropicAnswerBlock } from '../../protocol/anthropic/answer.ts';
import type { AnthropicBlockDelta, AnthropicStreamEvent } from '../../protocol/anthropic/stream-event.ts';
import type { ResponseEvent } from '../../protocol/responses/event.ts';
import type { FunctionCallItem, OutputItem, ReasoningItem, WebSearchCallItem } from '../../protocol/responses/items.ts';
import type { ResponseResource } from '../../protocol/responses/response.ts';
import { paragraph, toAnthropicHead, toCitation } from './to-anthropic-answer.ts';
import { toAnthropicUsage, toMessageEnd } from './to-anthropic-answer-end.ts';
import { toSearchBlocks } from './to-anthropic-answer-search.ts';
import { toAnthropicError } from './to-anthropic-error.ts';

/** What the terminal event does not say; read when it comes. */
export interface AnthropicEnd {
  readonly stopSequence: string | null;
  readonly failure: GatewayError | null;
}

type Chunks = readonly AnthropicStreamEvent[];

const nothing: Chunks = [];

/**
 * Responses events → the Messages API's stream events (backends.md D). One thinking block for a reasoning item, one text block for a part, one tool_use block for a call; an item that says
 * nothing has none. A failure becomes the `error` event, and nothing comes after it.
 */
export class AnthropicChunks implements Stage<ResponseEvent, AnthropicStreamEvent> {
  readonly #late: AnthropicEnd;
  #open: 'text' | 'thinking' | null = null;
  /** Of the block that is open, or else of the last one. */
  #index = -1;
  /** The summary part that the open thinking block has shown last. */
  #summaryIndex = 0;

  constructor(late: AnthropicEnd) {
    this.#late = late;
  }

  push(event: ResponseEvent): Chunks {
    switch (event.type) {
      case 'response.output_text.delta':
        return event.delta === '' ? nothing : this.#text(event.delta);
      case 'response.refusal.delta':
        return event.delta === '' ? nothing : this.#text(event.delta);
      case 'response.function_call_arguments.delta':
        return event.delta === '' ? nothing : [this.#delta({ type: 'input_json_delta', partial_json: event.delta })];
      case 'response.reasoning_summary_text.delta':
        return event.delta === '' ? nothing : this.#think(event.delta, event.summary_index);
      case 'response.output_text.annotation.added':
        return this.#withText({ type: 'citations_delta', citation: toCitation(event.annotation) });
      case 'response.content_part.done':
        return this.#close();
      case 'response.output_item.added':
        return event.item.type === 'function_call' ? this.#startCall(event.item) : nothing;
      case 'response.output_item.done':
        return this.#endItem(event.item);
      default:
        return this.#pushLifecycle(event);
    }
  }

  /** The terminal event has said everything. */
  end(): Chunks {
    return nothing;
  }

  #pushLifecycle(event: ResponseEvent): Chunks {
    switch (event.type) {
      case 'response.created':
        return [{ type: 'message_start', message: toAnthropicHead(event.response) }, { type: 'ping' }];
      case 'response.completed':
      case 'response.incomplete':
        return this.#finish(event.response);
      case 'response.failed':
        return [toAnthropicError(this.#late.failure ?? toFailure(event.response), null)];
      default:
        return nothing;
    }
  }

  #finish(response: ResponseResource): Chunks {
    const delta = toMessageEnd(response, this.#late.stopSequence);
    return [{ type: 'message_delta', delta, usage: toAnthropicUsage(response) }, { type: 'message_stop' }];
  }

  #text(text: string): Chunks {
    return this.#withText({ type: 'text_delta', text });
  }

  #withText(delta: AnthropicBlockDelta): Chunks {
    if (this.#open === 'text') return [this.#delta(delta)];
    this.#open = 'text';
    // The keys are there although they say nothing yet: clients put the text together in them.
    return [this.#start({ type: 'text', text: '', citations: null }), this.#delta(delta)];
  }

  #think(text: string, summaryIndex: number): Chunks {
    const isNextPart = this.#open === 'thinking' && summaryIndex !== this.#summaryIndex;
    this.#summaryIndex = summaryIndex;
    const delta: AnthropicBlockDelta = { type: 'thinking_delta', thinking: isNextPart ? paragraph + text : text };
    if (this.#open === 'thinking') return [this.#delta(delta)];
    this.#open = 'thinking';
    return [this.#start({ type: 'thinking', thinking: '', signature: '' }), this.#delta(delta)];
  }

  #startCall({ call_id, name }: FunctionCallItem): Chunks {
    return [this.#start({ type: 'tool_use', id: call_id, name, input: {} })];
  }

  #endItem(item: OutputItem): Chunks {
    switch (item.type) {
      case 'message':
        return nothing;
      case 'function_call':
        return [this.#stop()];
      case 'reasoning':
        return this.#endThinking(item);
      case 'web_search_call':
        return this.#search(item);
    }
  }

  #endThinking({ encrypted_content: sealed }: ReasoningItem): Chunks {
    if (this.#open === 'thinking') {
      const signature = sealed === undefined ? [] : [this.#delta({ type: 'signature_delta', signature: sealed })];
      return [...signature, ...this.#close()];
    }
    return sealed === undefined ? nothing : [this.#start({ type: 'redacted_thinking', data: sealed }), this.#stop()];
  }

  #search(item: WebSearchCallItem): Chunks {
    const [call, result] = toSearchBlocks(item);
    return [
      this.#start({ ...call, input: {} }),
      this.#delta({ type: 'input_json_delta', partial_json: JSON.stringify(call.input) }),
      this.#stop(),
      this.#start(result),
      this.#stop(),
    ];
  }

  #close(): Chunks {
    if (this.#open === null) return nothing;
    this.#open = null;
    return [this.#stop()];
  }

  #start(block: AnthropicAnswerBlock): AnthropicStreamEvent {
    this.#index += 1;
    return { type: 'content_block_start', index: this.#index, content_block: block };
  }

  #delta(delta: AnthropicBlockDelta): AnthropicStreamEvent {
    return { type: 'content_block_delta', index: this.#index, delta };
  }

  #stop(): AnthropicStreamEvent {
    return { type: 'content_block_stop', index: this.#index };
  }
}

function toFailure({ error }: ResponseResource): GatewayError {
  return new GatewayError('server_error', error?.message ?? 'The response failed.');
}
