import { isDeepStrictEqual } from 'node:util';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { postResponse } from '../doubles/post-response.ts';
import { startGateway, type StartedGateway } from '../doubles/start-gateway.ts';
import { runSideBySide } from '../run-side-by-side.ts';
import { expectedGemini } from './expected-gemini.ts';
import { expectedTurn, isSigned, withoutSignatures, type ReturnedPart } from './expected-turn.ts';
import { loose, type Recording } from './loose.ts';
import { findRecordings, openReplay, type OpenReplay } from './open-replay.ts';
import { playTurns, requestFor, type Way } from './play-turns.ts';
import { contentsOf, pairingFaults, type SentContent } from './sent-contents.ts';

/** What Google documents for a call whose signature is not there. */
const skip = 'skip_thought_signature_validator';

const ways: readonly { name: string; way: Way; isIntact: boolean }[] = [
  { name: 'store: false, the whole history with sealed reasoning', way: 'sealed', isIntact: true },
  { name: 'store: true, the whole history with reasoning ids only', way: 'ids', isIntact: true },
  { name: 'previous_response_id', way: 'previous', isIntact: true },
  { name: 'a client that drops reasoning items', way: 'dropped', isIntact: false },
  { name: 'the third turn at another model', way: 'switched', isIntact: false },
];

/** What went back, and what was reported as lost. */
interface Sent {
  readonly contents: readonly SentContent[];
  readonly losses: readonly string[];
}

describe.skipIf(!findRecordings())('thought signatures, through the whole gateway', () => {
  let replay: OpenReplay;
  let gateway: StartedGateway;
  let recordings: Recording[];

  beforeAll(async () => {
    replay = await openReplay(['gemini-stream', 'gemini-sync']);
    recordings = replay.recordings.filter(isSigned);
    gateway = await startGateway(`
store: { url: "memory:" }
backends:
  gemini: { type: gemini, api_key: test, base_url: "${replay.url}" }
`);
  });

  afterAll(async () => {
    await gateway.close();
    replay.close();
  });

  // Each recording is the answer to three turns; the third request holds two model turns, which are two steps of one turn where the model called functions.
  test.each(ways)('$name', { timeout: 120_000 }, async ({ name, way, isIntact }) => {
    const plays = recordings.flatMap((recording) => modesOf(recording).map((stream) => ({ recording, stream })));
    const elsewhere = replay.nameOf(findUnsigned(replay.recordings));
    const faults: string[] = [];
    let passed = 0;
    await runSideBySide(plays, async ({ recording, stream }) => {
      const played = await playTurns({ url: gateway.url, replay, backend: 'gemini', way, elsewhere, recording, stream });
      const contents = contentsOf(played.body);
      const found = [...played.faults, ...pairingFaults(contents), ...differences(recording, { ...played, contents }, isIntact)];
      if (found.length === 0) passed++;
      faults.push(...found.map((fault) => `${recording.id} ${stream ? 'streamed' : 'synced'}: ${fault}`));
    });
    console.log(`thought signatures, ${name}: ${String(passed)} of ${String(plays.length)}`);
    expect(faults).toEqual([]);
    expect(plays.length).toBeGreaterThan(250);
  });

  test.each(['some-new-model', 'gemini-2.5-flash'])('calls that no Gemini made, to %s', async (model) => {
    const question = `A history from elsewhere, to ${model}`;
    const input = [
      { role: 'user', content: question },
      ...[foreignCall('old'), foreignOutput('old', 0)],
      { role: 'assistant', content: 'Done.' },
      { role: 'user', content: 'More!' },
      { type: 'reasoning', id: 'rs_1', summary: [], encrypted_content: 'gAAAAABsomebody-else' },
      ...[foreignCall('b'), foreignCall('c'), foreignOutput('c', 1), foreignOutput('b', 0)],
      ...[foreignCall('d'), foreignOutput('d', 0)],
    ];
    const answer = await postResponse(gateway.url, { model: `gemini/${model}`, input, store: false });
    const contents = contentsOf(requestFor(question, replay));
    expect([...answer.faults, ...pairingFaults(contents)]).toEqual([]);
    expect(JSON.stringify(contents)).not.toContain('somebody-else');
    const signatures = contents.flatMap(({ parts }) => parts.flatMap(signatureOfCall));
    // Only the turn that is going on is validated: its first call of every step needs a value.
    expect(signatures).toEqual(
      model === 'gemini-2.5-flash' ? ['old -', 'b -', 'c -', 'd -'] : ['old -', `b ${skip}`, 'c -', `d ${skip}`],
    );
  });

  test('what this test looks for is seen: a signature that is missing, moved or merged, a call without its response', () => {
    const recording = recordings.find((candidate) => expectedTurn(candidate).length > 1);
    if (recording === undefined) throw new Error('no recording has two parts');
    const parts = expectedTurn(recording);
    const sent = (turn: ReturnedPart[]): Sent => ({
      contents: [turn, turn].map((list) => ({ role: 'model', parts: list.map(loose) })),
      losses: [],
    });
    expect(differences(recording, sent(parts), true)).toEqual([]);
    for (const wrong of [withoutSignatures(parts), withoutSignatures(parts, skip), [...parts].reverse(), parts.slice(1)])
      expect(differences(recording, sent(wrong), true)).toHaveLength(1);
    expect(differences(recording, { ...sent(parts), losses: ['input[1]'] }, true)).toHaveLength(1);
    expect(pairingFaults([{ role: 'model', parts: [loose({ functionCall: { name: 'f' } })] }])).toHaveLength(2);
  });
});

/** An answer that fails as a whole leaves nothing to give back, unless the client saw it grow. */
function modesOf(recording: Recording): boolean[] {
  return expectedGemini(recording).ending === 'failed' ? [true] : [true, false];
}

/** A healthy answer that nobody signed. */
function findUnsigned(recordings: readonly Recording[]): Recording {
  const found = recordings.find((recording) => !isSigned(recording) && expectedGemini(recording).ending === 'completed');
  if (found === undefined) throw new Error('every recording is signed');
  return found;
}

function differences(recording: Recording, { contents, losses }: Sent, isIntact: boolean): string[] {
  const turn = isIntact ? expectedTurn(recording) : withoutSignatures(expectedTurn(recording), skip);
  const wanted = turn.length === 0 ? [] : [turn, turn];
  const sent = contents.filter(({ role }) => role === 'model').map(({ parts }) => parts);
  const faults: string[] = [];
  if (!isDeepStrictEqual(sent, wanted))
    faults.push(`expected ${JSON.stringify(wanted).slice(0, 600)}\n  but sent ${JSON.stringify(sent).slice(0, 600)}`);
  if (isIntact && losses.length > 0) faults.push(`there are losses at ${losses.join(', ')}`);
  // A replaced signature makes the next answer worse: the client is told.
  if (!isIntact && losses.length === 0 && turn.some((part) => part['thoughtSignature'] === skip))
    faults.push('no loss is reported');
  return faults;
}

function foreignCall(callId: string): object {
  return { type: 'function_call', call_id: callId, name: callId, arguments: '{}' };
}

function foreignOutput(callId: string, at: number): object {
  return { type: 'function_call_output', call_id: callId, output: JSON.stringify({ at }) };
}

function signatureOfCall(part: ReturnedPart): string[] {
  const call = part['functionCall'] as { name: string } | undefined;
  const signature = part['thoughtSignature'] as string | undefined;
  return call === undefined ? [] : [`${call.name} ${signature ?? '-'}`];
}
