import { blockFaults, deltaFaults, type Block } from './check-anthropic-stream/block-rules.ts';
import { isCount, loose, type Loose } from './check-anthropic-stream/loose-event.ts';

/** One frame of a stream as it stood on the wire. */
export interface WireFrame {
  readonly event: string | null;
  readonly data: string;
}

const stopReasons = [
  'end_turn',
  'max_tokens',
  'stop_sequence',
  'tool_use',
  'pause_turn',
  'refusal',
  'model_context_window_exceeded',
];

/**
 * Grammar oracle of the Messages API (backends.md D and real recordings), over the frames of one whole stream. Returns what is wrong, in words; an empty list is a good stream. It knows nothing
 * of how the frames were made.
 */
export function checkAnthropicStream(frames: readonly WireFrame[]): string[] {
  const stream = new Stream();
  frames.forEach((frame, at) => {
    const event = toEvent(frame.data);
    const name = event === undefined ? 'no JSON object' : String(event['type']);
    const faults = event === undefined ? ['the data is no JSON object'] : [...checkName(frame, event), ...stream.take(event)];
    stream.faults.push(...faults.map((fault) => `#${String(at)} ${name}: ${fault}`));
  });
  return [...stream.faults, ...stream.end()];
}

function toEvent(data: string): Loose | undefined {
  try {
    const value = JSON.parse(data) as unknown;
    return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Loose) : undefined;
  } catch {
    return undefined;
  }
}

function checkName(frame: WireFrame, event: Loose): string[] {
  return frame.event === event['type'] ? [] : [`its frame is named ${String(frame.event)}`];
}

class Stream {
  readonly faults: string[] = [];
  #isStarted = false;
  #isFailed = false;
  #isStopped = false;
  #blocks = 0;
  #open: Block | undefined;
  #hasCall = false;
  #cutCall = false;
  #end: Loose | undefined;

  take(event: Loose): string[] {
    const type = String(event['type']);
    const late = this.#isStopped || this.#isFailed ? ['comes after the end'] : [];
    const early = !this.#isStarted && !['message_start', 'ping', 'error'].includes(type) ? ['comes before message_start'] : [];
    return [...late, ...early, ...this.#takeOne(type, event)];
  }

  end(): string[] {
    if (this.#isFailed) return [];
    const faults = this.#isStopped ? [] : ['the stream has no message_stop'];
    if (this.#end === undefined) faults.push('the stream has no message_delta');
    if (this.#open !== undefined) faults.push(`block ${String(this.#open.index)} was never stopped`);
    return faults;
  }

  #takeOne(type: string, event: Loose): string[] {
    switch (type) {
      case 'message_start':
        return this.#start(loose(event['message']));
      case 'ping':
        return [];
      case 'content_block_start':
        return this.#startBlock(event);
      case 'content_block_delta':
        return this.#open === undefined || this.#open.index !== event['index']
          ? ['no such block is open']
          : deltaFaults(this.#open, loose(event['delta']));
      case 'content_block_stop':
        return this.#stopBlock(event);
      case 'message_delta':
        return this.#finish(event);
      case 'message_stop':
        this.#isStopped = true;
        return this.#end === undefined ? ['comes before message_delta'] : [];
      case 'error':
        return this.#fail(loose(event['error']));
      default:
        return ['no such event'];
    }
  }

  #start(message: Loose): string[] {
    const faults = this.#isStarted ? ['comes twice'] : [];
    this.#isStarted = true;
    const { id, type, role, model, content, stop_reason, stop_sequence, usage } = message;
    if (typeof id !== 'string' || !id.startsWith('msg_')) faults.push('an id without msg_');
    if (type !== 'message' || role !== 'assistant' || typeof model !== 'string') faults.push('no assistant message');
    if (!Array.isArray(content) || content.length > 0) faults.push('content is not []');
    if (stop_reason !== null || stop_sequence !== null) faults.push('it has stopped already');
    return [...faults, ...usageFaults(loose(usage))];
  }

  #startBlock(event: Loose): string[] {
    const faults: string[] = [];
    if (this.#open !== undefined) faults.push(`block ${String(this.#open.index)} is still open`);
    if (this.#end !== undefined) faults.push('comes after message_delta');
    if (event['index'] !== this.#blocks) faults.push(`index ${String(event['index'])}, expected ${String(this.#blocks)}`);
    const block = loose(event['content_block']);
    this.#blocks += 1;
    this.#open = { index: Number(event['index']), type: String(block['type']), json: '', isSigned: false };
    if (this.#open.type === 'tool_use') this.#hasCall = true;
    return [...faults, ...blockFaults(block)];
  }

  #stopBlock(event: Loose): string[] {
    const block = this.#open;
    if (block === undefined || block.index !== event['index']) return ['no such block is open'];
    this.#open = undefined;
    if (block.type === 'tool_use' && block.json !== '' && toEvent(block.json) === undefined) this.#cutCall = true;
    return [];
  }

  #finish(event: Loose): string[] {
    const faults = this.#end === undefined ? [] : ['comes twice'];
    if (this.#open !== undefined) faults.push(`block ${String(this.#open.index)} is still open`);
    const end = loose(event['delta']);
    this.#end = end;
    const reason = String(end['stop_reason']);
    if (!stopReasons.includes(reason)) faults.push(`stop_reason ${reason}`);
    if ((reason === 'stop_sequence') !== (typeof end['stop_sequence'] === 'string'))
      faults.push('stop_sequence does not fit stop_reason');
    if (reason === 'tool_use' && !this.#hasCall) faults.push('tool_use without a call');
    if (reason === 'end_turn' && this.#hasCall) faults.push('end_turn with a call');
    if (this.#cutCall && reason !== 'max_tokens' && reason !== 'refusal') faults.push('the input of a call is no JSON object');
    return [...faults, ...usageFaults(loose(event['usage']))];
  }

  #fail({ type, message }: Loose): string[] {
    this.#isFailed = true;
    const isWhole = typeof type === 'string' && type.endsWith('error') && typeof message === 'string' && message !== '';
    return isWhole ? [] : ['an error without type or message'];
  }
}

function usageFaults(usage: Loose): string[] {
  const counts = ['input_tokens', 'output_tokens', 'cache_creation_input_tokens', 'cache_read_input_tokens'];
  return counts.filter((name) => !isCount(usage[name])).map((name) => `usage.${name} is no count`);
}
