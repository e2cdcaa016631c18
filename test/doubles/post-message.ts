import { accumulateMessage } from '../accumulate-message.ts';
import { checkAnthropicStream, type WireFrame } from '../check-anthropic-stream.ts';
import { loose, type Loose } from '../check-anthropic-stream/loose-event.ts';

export interface MessageAnswer {
  readonly status: number;
  readonly headers: Headers;
  /** Empty when the answer was no stream. */
  readonly events: readonly Loose[];
  /** The message that the stream makes, or the JSON body; that of the error when it failed. */
  readonly body: Loose;
  /** What the oracle found. */
  readonly faults: readonly string[];
}

/** Sends a request to `POST /v1/messages` and reads the whole answer, a stream with the oracle. */
export async function postMessage(url: string, request: object, headers: Record<string, string> = {}): Promise<MessageAnswer> {
  const answer = await fetch(`${url}/v1/messages`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', 'anthropic-version': '2023-06-01', ...headers },
    body: JSON.stringify(request),
  });
  const text = await answer.text();
  const facts = { status: answer.status, headers: answer.headers };
  const isStream = answer.headers.get('content-type')?.startsWith('text/event-stream') ?? false;
  if (!isStream) return { ...facts, events: [], body: JSON.parse(text) as Loose, faults: [] };
  const { frames, faults } = toFrames(text);
  const events = frames.map(({ data }) => loose(JSON.parse(data)));
  const body = accumulateMessage(events) ?? loose(events.at(-1));
  return { ...facts, events, body, faults: [...faults, ...checkAnthropicStream(frames)] };
}

/** As strict as the strictest client: LF, one `event:` and one `data:` line, whole frames. */
function toFrames(text: string): { frames: WireFrame[]; faults: string[] } {
  const faults = text.endsWith('\n\n') ? [] : ['the stream ends within a frame'];
  const frames = text
    .split('\n\n')
    .filter((frame) => frame !== '')
    .map((frame) => {
      const match = /^event: (\S+)\ndata: (.*)$/.exec(frame);
      if (match === null) faults.push(`malformed frame: ${frame.slice(0, 100)}`);
      return { event: match?.[1] ?? null, data: match?.[2] ?? '{}' };
    });
  return { frames, faults };
}
