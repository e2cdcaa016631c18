import { isDeepStrictEqual } from 'node:util';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { startGateway, type StartedGateway } from '../doubles/start-gateway.ts';
import { runSideBySide } from '../run-side-by-side.ts';
import { expectedAnthropic } from './expected-anthropic.ts';
import { bodiesOf, listOf, loose, words, type Loose, type Recording } from './loose.ts';
import { findRecordings, openReplay, type OpenReplay } from './open-replay.ts';
import { playTurns, type Way } from './play-turns.ts';

describe.skipIf(!findRecordings())('signed thinking of Anthropic goes back as it came, through the whole gateway', () => {
  let replay: OpenReplay;
  let gateway: StartedGateway;
  let recordings: Recording[];

  beforeAll(async () => {
    replay = await openReplay(['anthropic-stream', 'anthropic-sync']);
    recordings = replay.recordings.filter(isSigned);
    gateway = await startGateway(`
store: { url: "memory:" }
backends:
  anthropic: { type: anthropic, base_url: "${replay.url}" }
`);
  });

  afterAll(async () => {
    await gateway.close();
    replay.close();
  });

  // Each recording is the answer to three turns; the third request holds what two of them thought.
  test.each(['sealed', 'ids', 'previous'] as const)('history: %s', { timeout: 120_000 }, async (way) => {
    const plays = recordings.flatMap((recording) => [true, false].map((stream) => ({ recording, stream, way })));
    const faults: string[] = [];
    await runSideBySide(plays, async (play) => {
      faults.push(...(await faultsOf(play)).slice(0, 1));
    });
    console.log(`thinking of Anthropic, ${way}: ${String(plays.length - faults.length)} of ${String(plays.length)}`);
    expect(faults).toEqual([]);
    expect(plays.length).toBeGreaterThan(50);
  });

  test('thinking that a client drops is missed', { timeout: 60_000 }, async () => {
    const missed: string[] = [];
    await runSideBySide(recordings, async (recording) => {
      missed.push(...(await faultsOf({ recording, stream: true, way: 'dropped' })));
    });
    expect(missed.filter((fault) => fault.includes('expected twice'))).toHaveLength(recordings.length);
  });

  async function faultsOf({ recording, stream, way }: { recording: Recording; stream: boolean; way: Way }): Promise<string[]> {
    const played = await playTurns({ url: gateway.url, replay, backend: 'anthropic', recording, stream, way });
    const messages = listOf(played.body['messages']);
    const sent = messages.flatMap(({ content }) => listOf(content).filter(isThinking));
    const wanted = thinkingOf(recording);
    const isSame = isDeepStrictEqual(sent, [...wanted, ...wanted]);
    const difference = `expected twice ${JSON.stringify(wanted).slice(0, 400)}\n  but sent ${JSON.stringify(sent).slice(0, 800)}`;
    const found = [...played.faults, ...played.losses.map((path) => `loss at ${path}`), ...(isSame ? [] : [difference])];
    return found.map((fault) => `${recording.id} ${stream ? 'streamed' : 'synced'}: ${fault}`);
  }
});

function isSigned(recording: Recording): boolean {
  return expectedAnthropic(recording).ending === 'completed' && thinkingOf(recording).length > 0;
}

function isThinking({ type }: Loose): boolean {
  return ['thinking', 'redacted_thinking'].includes(words(type));
}

/** The thinking blocks of a recorded answer, whole; those without a signature need not come back. */
function thinkingOf(recording: Recording): Record<string, unknown>[] {
  const blocks: Record<string, string>[] = [];
  for (const body of bodiesOf(recording)) {
    for (const block of [...listOf(body['content']), loose(body['content_block'])].filter(({ type }) => type)) {
      const { type, thinking, signature, data } = block;
      const isRedacted = words(type) === 'redacted_thinking';
      if (isRedacted) blocks.push({ type: 'redacted_thinking', data: words(data) });
      else blocks.push({ type: words(type), thinking: words(thinking), signature: words(signature) });
    }
    const last = blocks.at(-1);
    const { thinking, signature } = loose(body['delta']);
    if (last !== undefined && thinking) last['thinking'] = `${last['thinking'] ?? ''}${words(thinking)}`;
    if (last !== undefined && signature) last['signature'] = `${last['signature'] ?? ''}${words(signature)}`;
    if (words(body['type']) === 'message_stop') break;
  }
  return blocks.filter(
    (block) => block['type'] === 'redacted_thinking' || (block['type'] === 'thinking' && block['signature'] !== ''),
  );
}
