import type { LogItem } from '../check-event-log/log-event.ts';
import { postResponse } from '../doubles/post-response.ts';
import { loose, words, type Loose, type Recording } from './loose.ts';
import type { OpenReplay } from './open-replay.ts';

/**
 * How a client brings the history back: whole with sealed reasoning; whole with ids, the state lying in the store; by reference; whole without its reasoning items; or
 * whole and sealed, but with the third turn at another model.
 */
export type Way = 'sealed' | 'ids' | 'previous' | 'dropped' | 'switched';

/** What the model server got with the third turn, and what went wrong on the way. */
export interface Played {
  readonly body: Loose;
  /** Paths of the losses that the third answer reports for its history. */
  readonly losses: readonly string[];
  readonly faults: readonly string[];
}

interface Play {
  readonly url: string;
  readonly replay: OpenReplay;
  readonly recording: Recording;
  readonly stream: boolean;
  readonly way: Way;
  /** The name of the backend. */
  readonly backend: string;
  /** The model there that a `switched` third turn goes to. */
  readonly elsewhere?: string;
}

/** Three turns with the model that gives the same recorded answer each time; the outputs of its calls go back in reverse order. */
export async function playTurns({ url, replay, recording, stream, way, backend, elsewhere }: Play): Promise<Played> {
  const question = `Question for ${recording.id} ${way} ${String(stream)}`;
  const isStored = way === 'ids' || way === 'previous';
  const isSealed = way === 'sealed' || way === 'switched';
  const settings = {
    ...{ stream, store: isStored, reasoning: { summary: 'auto' } },
    ...(isSealed && { include: ['reasoning.encrypted_content'] }),
  };
  const history: object[] = [{ role: 'user', content: question }];
  const faults: string[] = [];
  let fresh = history;
  let previous: string | null = null;
  let losses: string[] = [];
  for (let turn = 1; turn <= 3; turn++) {
    const isElsewhere = way === 'switched' && turn === 3 && elsewhere !== undefined;
    const model = `${backend}/${isElsewhere ? elsewhere : replay.nameOf(recording)}`;
    const context = way === 'previous' ? { input: fresh, previous_response_id: previous } : { input: history };
    const answer = await postResponse(url, { ...settings, ...context, model });
    if (answer.status !== 200) faults.push(`turn ${String(turn)}: ${String(answer.status)} ${JSON.stringify(answer.body)}`);
    if (faults.push(...answer.faults) > 0) break;
    losses = lossesOf(answer.headers);
    previous = answer.body.id;
    fresh = replyTo(answer.body.output, turn);
    history.push(...answer.body.output.filter((item) => way !== 'dropped' || item.type !== 'reasoning'), ...fresh);
  }
  return { body: requestFor(question, replay), losses, faults };
}

/** The body of the last request whose conversation begins with that question: Gemini's form, or that of OpenAI's APIs. */
export function requestFor(question: string, replay: OpenReplay): Loose {
  const seen = replay.seen.findLast(({ body }) => {
    const first =
      loose(body?.['contents']?.[0]?.['parts']?.[0])['text'] ?? loose(body?.['messages']?.[0] ?? body?.['input']?.[0])['content'];
    // Anthropic has blocks there.
    return words(first) === question || words(loose(loose(first)[0])['text']) === question;
  });
  return loose(seen?.body);
}

/** Outputs for all calls, each with its place, last call first; a new question when there were none. */
function replyTo(output: readonly LogItem[], turn: number): object[] {
  const calls = output.filter(({ type }) => type === 'function_call');
  if (calls.length === 0) return [{ role: 'user', content: `And ${String(turn)}?` }];
  return calls
    .map(({ call_id }, at) => ({ type: 'function_call_output', call_id, output: JSON.stringify({ at, turn }) }))
    .reverse();
}

/** What of the history could not go back; losses of the answer itself are another matter. */
function lossesOf(headers: Headers): string[] {
  const losses = JSON.parse(headers.get('antiphon-losses') ?? '[]') as { path: string }[];
  return losses.map(({ path }) => path).filter((path) => /^(input|previous_response_id)/.test(path));
}
