import type { LogPart } from '../check-event-log/log-event.ts';
import type { StreamAnswer } from '../doubles/post-response.ts';
import type { Content } from './loose.ts';

/** What a client of the gateway got, streamed or not. The oracle has seen that deltas and final response agree. */
export function observedOf({ body }: StreamAnswer): Content {
  const parts = body.output.flatMap((item) => item.content ?? []);
  const { usage } = body;
  return {
    text: join(parts, ({ type, text }) => (type === 'output_text' ? text : '')),
    refusal: join(parts, ({ refusal }) => refusal),
    reasoning: join(
      body.output.flatMap((item) => item.summary ?? []),
      ({ text }) => text,
    ),
    calls: body.output
      .filter(({ type }) => type === 'function_call')
      .map((call) => ({ name: call.name ?? '', arguments: parse(call.arguments ?? '') })),
    usage: usage === null ? null : [usage.input_tokens, usage.output_tokens, usage.total_tokens],
    ending: body.status === 'incomplete' ? `incomplete ${body.incomplete_details?.reason ?? ''}` : body.status,
  };
}

function join(parts: readonly LogPart[], textOf: (part: LogPart) => string | undefined): string {
  return parts.map((part) => textOf(part) ?? '').join('');
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return text;
  }
}
