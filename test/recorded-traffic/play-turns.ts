import type { LogItem } from '../check-event-log/log-event.ts';
import { postResponse } from '../doubles/post-response.ts';
import { listOf, loose, words, type Loose, type Recording } from './loose.ts';
import type { OpenReplay } from './open-replay.ts';

/**
 * How a client brings the history back: whole with sealed reasoning; whole with ids, the state lying in the store; by reference; whole without its reasoning items; or
 * whole and sealed, but with the third turn at another model.
 */
export type Way = 'sealed' | 'ids' | 'previous' | 'dropped' | 'switched';

export interface SentContent {
  readonly role: string;
  readonly parts: readonly Loose[];
}

/** What the model server got with the third turn, and what went wrong on the way. */
export interface Played {
  readonly contents: readonly SentContent[];
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
  /** The model that a `switched` third turn goes to. */
  readonly elsewhere: string;
}

/** Three turns with the model that gives the same recorded answer each time; the outputs of its calls go back in reverse order. */
export async function playTurns({ url, replay, recording, stream, way, elsewhere }: Play): Promise<Played> {
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
    const model = `gemini/${way === 'switched' && turn === 3 ? elsewhere : replay.nameOf(recording)}`;
    const context = way === 'previous' ? { input: fresh, previous_response_id: previous } : { input: history };
    const answer = await postResponse(url, { ...settings, ...context, model });
    if (answer.status !== 200) faults.push(`turn ${String(turn)}: ${String(answer.status)} ${JSON.stringify(answer.body)}`);
    if (faults.push(...answer.faults) > 0) break;
    losses = lossesOf(answer.headers);
    previous = answer.body.id;
    fresh = replyTo(answer.body.output, turn);
    history.push(...answer.body.output.filter((item) => way !== 'dropped' || item.type !== 'reasoning'), ...fresh);
  }
  const contents = contentsFor(question, replay);
  return { contents, losses, faults: [...faults, ...pairingFaults(contents)] };
}

/** The contents of the last request whose conversation begins with that question. */
export function contentsFor(question: string, replay: OpenReplay): SentContent[] {
  const seen = replay.seen.findLast(({ body }) => words(body?.['contents']?.[0]?.['parts']?.[0]?.['text']) === question);
  return listOf(seen?.body?.['contents']).map(({ role, parts }) => ({ role: words(role), parts: listOf(parts) }));
}

/** Each content with calls is followed by one with their responses: as many, in the same order, with the same ids and names. Roles alternate. */
export function pairingFaults(contents: readonly SentContent[]): string[] {
  return contents.flatMap(({ role, parts }, at) => {
    const faults = role === contents[at - 1]?.role ? [`contents[${String(at)}] has the role of the one before it`] : [];
    const calls = membersOf(parts, 'functionCall');
    if (calls.length === 0) return faults;
    const responses = membersOf(contents[at + 1]?.parts ?? [], 'functionResponse');
    if (namesOf(calls) !== namesOf(responses)) faults.push(`calls ${namesOf(calls)} got responses ${namesOf(responses)}`);
    const places = responses.map(({ response }) => JSON.stringify(loose(response)['at']));
    if (places.join() !== calls.map((_, place) => place).join()) faults.push(`the responses are those of calls ${places.join()}`);
    return faults;
  });
}

function membersOf(parts: readonly Loose[], name: string): Loose[] {
  return parts.filter((part) => part[name]).map((part) => loose(part[name]));
}

function namesOf(members: readonly Loose[]): string {
  return JSON.stringify(members.map(({ id, name }) => [id, name]));
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
