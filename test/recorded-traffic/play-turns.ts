import { postResponse } from '../doubles/post-response.ts';
import type { LogItem } from '../check-event-log/log-event.ts';
import type { StartedGateway } from '../doubles/start-gateway.ts';
import { listOf, loose, words, type Loose, type Recording } from './loose.ts';
import type { OpenReplay } from './open-replay.ts';

/** How a client brings the history back: whole with sealed reasoning; whole with ids, the state lying in the store; by reference; whole without its reasoning items. */
export type Way = 'sealed' | 'ids' | 'previous' | 'dropped';

export interface Content {
  readonly role: string;
  readonly parts: readonly Loose[];
}

/** What the model server got with the third turn, and what went wrong on the way. */
export interface Played {
  readonly contents: readonly Content[];
  readonly faults: readonly string[];
}

interface Play {
  readonly gateway: StartedGateway;
  readonly replay: OpenReplay;
  readonly recording: Recording;
  readonly stream: boolean;
  readonly way: Way;
}

/** Three turns with the model that gives the same recorded answer each time; the outputs of its calls go back in reverse order. */
export async function playTurns({ gateway, replay, recording, stream, way }: Play): Promise<Played> {
  const question = `Question for ${recording.id} ${way} ${String(stream)}`;
  const settings = {
    model: `gemini/${replay.nameOf(recording)}`,
    stream,
    store: way !== 'sealed' && way !== 'dropped',
    reasoning: { summary: 'auto' },
    ...(way === 'sealed' && { include: ['reasoning.encrypted_content'] }),
  };
  const history: object[] = [{ role: 'user', content: question }];
  const faults: string[] = [];
  let fresh: object[] = history;
  let previous: string | null = null;
  for (let turn = 1; turn <= 3; turn++) {
    const input = way === 'previous' ? fresh : history;
    const answer = await postResponse(gateway.url, { ...settings, input, previous_response_id: way === 'previous' ? previous : null });
    if (answer.status !== 200) return { contents: [], faults: [`turn ${String(turn)}: ${String(answer.status)} ${JSON.stringify(answer.body)}`] };
    faults.push(...answer.faults);
    previous = answer.body.id;
    fresh = replyTo(answer.body.output, turn);
    const kept = answer.body.output.filter((item) => way !== 'dropped' || item.type !== 'reasoning');
    history.push(...kept, ...fresh);
  }
  const seen = replay.seen.findLast(({ body }) => body?.['contents']?.[0]?.['parts']?.[0]?.['text'] === (question as unknown));
  const contents = listOf(seen?.body?.['contents']).map(({ role, parts }) => ({ role: words(role), parts: listOf(parts) }));
  return { contents, faults: [...faults, ...pairingFaults(contents)] };
}

/** Outputs for all calls, last call first; a new question when there were none. */
function replyTo(output: readonly LogItem[], turn: number): object[] {
  const calls = output.filter(({ type, status }) => type === 'function_call' && status === 'completed');
  if (calls.length === 0) return [{ role: 'user', content: `And ${String(turn)}?` }];
  return calls
    .map(({ call_id, arguments: given }, at) => ({ type: 'function_call_output', call_id, output: JSON.stringify({ at, turn, given }) }))
    .reverse();
}

/** Each content with calls is followed by one with their responses: as many, in the same order, with the same ids and names. */
export function pairingFaults(contents: readonly Content[]): string[] {
  const faults: string[] = [];
  contents.forEach(({ role, parts }, at) => {
    if (role === contents[at - 1]?.role) faults.push(`contents[${String(at)}] has the role of the one before it`);
    const calls = parts.filter((part) => part['functionCall']).map((part) => loose(part['functionCall']));
    if (calls.length === 0) return;
    const responses = listOf(contents[at + 1]?.parts).filter((part) => part['functionResponse']).map((part) => loose(part['functionResponse']));
    const idsOf = (list: readonly Loose[]): string => JSON.stringify(list.map(({ id, name }) => [id, name]));
    if (idsOf(calls) !== idsOf(responses)) faults.push(`calls ${idsOf(calls)} got responses ${idsOf(responses)}`);
    responses.forEach(({ response }, place) => {
      if (loose(response)['at'] !== (place as unknown)) faults.push(`call ${String(place)} got the response ${JSON.stringify(response)}`);
    });
  });
  return faults;
}
