import type { ResponseEvent } from '../../protocol/responses/event.ts';

/** The literal that ends a Responses stream (Open Responses demands it, OpenAI's clients accept it). */
export const doneFrame = 'data: [DONE]\n\n';

/** A comment: no event for anybody, but traffic for every proxy in between. */
export const commentFrame = ': keep-alive\n\n';

/** One batch of events as whole frames with LF line ends, ready for one socket write (protocol.md §0.5). */
export function encodeSse(events: readonly ResponseEvent[]): string {
  let frames = '';
  for (const event of events) frames += `event: ${event.type}\ndata: ${encodeEvent(event)}\n\n`;
  return frames;
}

/** JSON of one event. A stream consists mostly of text deltas: those are put together by hand, which costs a third of stringifying the object. */
function encodeEvent(event: ResponseEvent): string {
  if (event.type !== 'response.output_text.delta' || event.logprobs.length > 0) return JSON.stringify(event);
  return (
    `{"type":"response.output_text.delta","item_id":"${event.item_id}","output_index":${String(event.output_index)},"content_index":${String(event.content_index)},` +
    `"delta":${JSON.stringify(event.delta)},"logprobs":[],"sequence_number":${String(event.sequence_number)}}`
  );
}
