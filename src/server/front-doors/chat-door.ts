import type { ChatCompletionChunk, ChatStreamError } from '../../protocol/chat/answer.ts';
import type { ResponseEvent } from '../../protocol/responses/event.ts';
import type { ChatFacts } from '../../translate/chat/chat-answer.ts';
import { fromChatRequest } from '../../translate/chat/from-chat-request.ts';
import { toChatChunks } from '../../translate/chat/to-chat-chunks.ts';
import { toChatCompletion } from '../../translate/chat/to-chat-completion.ts';
import { commentFrame, doneFrame } from '../deliver/encode-sse.ts';
import { endsStream } from '../deliver/ends-stream.ts';
import type { FrontDoor, LateFacts, StreamWriter } from './front-door.ts';

/** `POST /v1/chat/completions`. Nothing is stored: clients of this dialect bring the whole conversation each time. */
export const chatDoor: FrontDoor<ChatFacts> = {
  dialect: 'chat',
  readRequest: (body) => fromChatRequest(body),
  toNative: () => ({ headers: {}, query: '' }),
  openStream: (facts, late) => openChatStream(facts, late),
  toBody: (response, facts) => toChatCompletion(response, facts),
};

function openChatStream(facts: ChatFacts, late: LateFacts): StreamWriter {
  const stage = toChatChunks(facts, late);
  /** What all chunks of a stream have in common, written once. */
  let head = '';

  function encode(chunk: ChatCompletionChunk | ChatStreamError): string {
    if ('error' in chunk) return JSON.stringify(chunk);
    const { choices, usage, ...common } = chunk;
    if (head === '') head = JSON.stringify(common).slice(0, -1);
    return `${head},"choices":${JSON.stringify(choices)}${usage === undefined ? '' : `,"usage":${JSON.stringify(usage)}`}}`;
  }

  function write(events: readonly ResponseEvent[]): string {
    let frames = '';
    for (const event of events) for (const chunk of stage.push(event)) frames += `data: ${encode(chunk)}\n\n`;
    // After a failure it would look like an end that was reached.
    return endsStream(events) && events.at(-1)?.type !== 'response.failed' ? frames + doneFrame : frames;
  }

  return {
    contentType: 'text/event-stream; charset=utf-8',
    write,
    idleFrame: commentFrame,
    passedEnd: '',
    fail: (event) => write([event]),
  };
}
