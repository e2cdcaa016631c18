import { checkEventLog } from '../check-event-log.ts';
import type { LogEvent, LogResponse } from '../check-event-log/log-event.ts';

export interface StreamAnswer {
  readonly status: number;
  readonly headers: Headers;
  /** Empty when the answer was no stream. */
  readonly events: readonly LogEvent[];
  /** The response of the terminal event, or the JSON body. */
  readonly body: LogResponse;
  /** What the oracle found; a stream that ends without `[DONE]` is a fault too. */
  readonly faults: readonly string[];
}

/** Sends a request to `POST /v1/responses` and reads the whole answer, a stream with the oracle. */
export async function postResponse(url: string, request: object, headers: Record<string, string> = {}): Promise<StreamAnswer> {
  const answer = await fetch(`${url}/v1/responses`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...headers },
    body: JSON.stringify(request),
  });
  const text = await answer.text();
  const isStream = answer.headers.get('content-type')?.startsWith('text/event-stream') ?? false;
  if (!isStream)
    return { status: answer.status, headers: answer.headers, events: [], body: JSON.parse(text) as LogResponse, faults: [] };
  const { events, faults } = readStream(text);
  const response = events.at(-1)?.response;
  if (response === undefined) throw new Error(`no terminal event in: ${text.slice(-300)}`);
  return { status: answer.status, headers: answer.headers, events, body: response, faults };
}

/** Takes a whole SSE text apart as strictly as the strictest client would: LF, `event:` equal to `type`, one `data:` line, `[DONE]` last. */
export function readStream(text: string): { events: LogEvent[]; faults: string[] } {
  const faults: string[] = [];
  const events: LogEvent[] = [];
  const frames = text.split('\n\n').filter((frame) => frame !== '' && !frame.startsWith(':'));
  if (frames.pop() !== 'data: [DONE]') faults.push('the stream does not end with [DONE]');
  for (const frame of frames) {
    const match = /^event: (\S+)\ndata: (.*)$/.exec(frame);
    const event = JSON.parse(match?.[2] ?? '{}') as LogEvent;
    if (match === null || event.type !== match[1]) faults.push(`malformed frame: ${frame.slice(0, 100)}`);
    events.push(event);
  }
  return { events, faults: [...faults, ...checkEventLog(events)] };
}
