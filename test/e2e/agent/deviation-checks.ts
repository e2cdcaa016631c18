import { isDeepStrictEqual } from 'node:util';
import type { LogEvent } from '../../check-event-log/log-event.ts';

type Fields = Readonly<Record<string, unknown>>;

/** Keys of a response object (protocol.md §1.3). */
const responseKeys = [
  ...['id', 'object', 'created_at', 'completed_at', 'status', 'background', 'error', 'incomplete_details', 'instructions'],
  ...['max_output_tokens', 'max_tool_calls', 'metadata', 'model', 'output', 'parallel_tool_calls', 'previous_response_id'],
  ...['presence_penalty', 'frequency_penalty', 'prompt_cache_key', 'prompt_cache_retention', 'reasoning', 'safety_identifier'],
  ...['service_tier', 'store', 'temperature', 'text', 'tool_choice', 'tools', 'top_logprobs', 'top_p', 'truncation', 'usage'],
  ...['user', 'moderation'],
];

/** Faults of the response object's keys: one is missing, or one is there that is in no protocol (protocol.md §2 items 12 and 13). */
export function checkKeys(response: object): string[] {
  const keys = Object.keys(response);
  return [
    ...responseKeys.filter((key) => !keys.includes(key)).map((key) => `${key} is missing`),
    ...keys.filter((key) => key !== 'conversation' && !responseKeys.includes(key)).map((key) => `${key} is private`),
  ];
}

/** What of a request the response tells otherwise (item 11). */
export function checkEcho(response: object, request: Fields): string[] {
  return Object.entries(request).flatMap(([key, sent]) => {
    const told = (response as Fields)[key];
    return isDeepStrictEqual(told, sent) ? [] : [`${key} is ${JSON.stringify(told)}`];
  });
}

/** Text events and parts need `logprobs`, an empty list where none were asked for (item 2). */
export function checkLogprobs(events: readonly LogEvent[]): string[] {
  return events.flatMap(({ type, logprobs, part }) => {
    const carrier = part?.type === 'output_text' ? (part as { logprobs?: unknown }).logprobs : logprobs;
    const needsThem = part?.type === 'output_text' || type.startsWith('response.output_text.d');
    return needsThem && !Array.isArray(carrier) ? [`${type} has no logprobs`] : [];
  });
}

/** Deltas of one kind, joined per item. */
export function joinDeltas(events: readonly LogEvent[], type: string): string[] {
  const texts = new Map<string, string>();
  for (const event of events) {
    const id = event.item_id ?? '';
    if (event.type === type) texts.set(id, (texts.get(id) ?? '') + String(event.delta));
  }
  return [...texts.values()];
}

/** Thinking that was streamed in pieces, none of which is the whole of it (item 5). */
export function checkIncrementalThinking(events: readonly LogEvent[], thinking: string): string[] {
  const deltas = events.filter(({ type }) => type === 'response.reasoning_summary_text.delta').map(({ delta }) => String(delta));
  return [
    ...(deltas.length > 1 ? [] : [`${String(deltas.length)} deltas`]),
    ...(deltas.join('') === thinking ? [] : [`the deltas say '${deltas.join('')}'`]),
  ];
}
