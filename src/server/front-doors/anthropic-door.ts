import type { AnthropicStreamEvent } from '../../protocol/anthropic/stream-event.ts';
import type { ResponseEvent } from '../../protocol/responses/event.ts';
import { fromAnthropicRequest } from '../../translate/anthropic/from-anthropic-request.ts';
import { toAnthropicAnswer } from '../../translate/anthropic/to-anthropic-answer.ts';
import { AnthropicChunks } from '../../translate/anthropic/to-anthropic-chunks.ts';
import { pickHeaders } from './pick-headers.ts';
import type { FrontDoor, LateFacts, StreamWriter } from './front-door.ts';

/** `POST /v1/messages`: Anthropic's Messages API (backends.md D). */
export const anthropicDoor: FrontDoor<null> = {
  dialect: 'anthropic',
  readRequest: (body) => fromAnthropicRequest(body),
  toNative: (_request, { request, query }) => ({
    headers: pickHeaders(request.headers, ['anthropic-version', 'anthropic-beta']),
    query: query.get('beta') === 'true' ? 'beta=true' : '',
  }),
  openStream: (_facts, late) => new AnthropicWriter(late),
  toBody: (response, _facts, late) => toAnthropicAnswer(response, late.stopSequence),
};

class AnthropicWriter implements StreamWriter {
  readonly contentType = 'text/event-stream; charset=utf-8';
  /** Its clients skip it, and it is an event for their timers too. */
  readonly idleFrame = 'event: ping\ndata: {"type":"ping"}\n\n';
  readonly passedEnd = '';
  readonly #chunks: AnthropicChunks;

  constructor(late: LateFacts) {
    this.#chunks = new AnthropicChunks(late);
  }

  fail(event: ResponseEvent): string {
    return this.write([event]);
  }

  write(events: readonly ResponseEvent[]): string {
    let frames = '';
    for (const event of events) for (const chunk of this.#chunks.push(event)) frames += encodeFrame(chunk);
    return frames;
  }
}

function encodeFrame(event: AnthropicStreamEvent): string {
  return `event: ${event.type}\ndata: ${encodeEvent(event)}\n\n`;
}

/** A stream consists mostly of text deltas: those are put together by hand, which costs a third of stringifying the object. */
function encodeEvent(event: AnthropicStreamEvent): string {
  if (event.type !== 'content_block_delta' || event.delta.type !== 'text_delta') return JSON.stringify(event);
  const text = JSON.stringify(event.delta.text);
  return `{"type":"content_block_delta","index":${String(event.index)},"delta":{"type":"text_delta","text":${text}}}`;
}
