import { isDeepStrictEqual } from 'node:util';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { startGateway, type StartedGateway } from '../doubles/start-gateway.ts';
import { expectedTurn, isSigned, withoutSignatures, type ReturnedPart } from './expected-turn.ts';
import type { Recording } from './loose.ts';
import { findRecordings, openReplay, type OpenReplay } from './open-replay.ts';
import { playTurns, type Played, type Way } from './play-turns.ts';

/** Google's value for a call whose signature is not there. */
const skip = 'skip_thought_signature_validator';

const ways: readonly { name: string; way: Way; expected: (parts: ReturnedPart[], isLast: boolean) => ReturnedPart[] }[] = [
  { name: 'store: false, the whole history with sealed reasoning', way: 'sealed', expected: (parts) => parts },
  { name: 'store: true, the whole history with reasoning ids only', way: 'ids', expected: (parts) => parts },
  { name: 'previous_response_id', way: 'previous', expected: (parts) => parts },
  {
    name: 'a client that drops reasoning items',
    way: 'dropped',
    expected: (parts) => withoutSignatures(parts, skip),
  },
];

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

  test.each(ways)('$name', { timeout: 120_000 }, async ({ name, way, expected }) => {
    const tried = recordings.flatMap((recording) => [true, false].map((stream) => ({ recording, stream })));
    const faults: string[] = [];
    let passed = 0;
    async function playNext(): Promise<void> {
      for (let next = tried.pop(); next !== undefined; next = tried.pop()) {
        const played = await playTurns({ gateway, replay, way, ...next });
        const found = compare(next.recording, played, expected);
        if (found.length === 0) passed++;
        faults.push(...found.map((fault) => `${next?.recording.id ?? ''} ${next?.stream === true ? 'streamed' : 'synced'}: ${fault}`));
      }
    }
    const all = tried.length;
    await Promise.all(Array.from({ length: 8 }, playNext));
    console.log(`signatures, ${name}: ${String(passed)} of ${String(all)}`);
    expect(faults).toEqual([]);
  });
});

function compare(recording: Recording, { contents, faults }: Played, expected: (parts: ReturnedPart[], isLast: boolean) => ReturnedPart[]): string[] {
  const turn = expectedTurn(recording);
  const model = contents.filter(({ role }) => role === 'model').map(({ parts }) => parts);
  const wanted = [expected(turn, false), expected(turn, true)].filter((parts) => parts.length > 0);
  return isDeepStrictEqual(model, wanted) ? [...faults] : [...faults, `expected ${JSON.stringify(wanted).slice(0, 700)}\n  but sent ${JSON.stringify(model).slice(0, 700)}`];
}
