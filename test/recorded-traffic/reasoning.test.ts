import { isDeepStrictEqual } from 'node:util';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { startGateway, type StartedGateway } from '../doubles/start-gateway.ts';
import { runSideBySide } from '../run-side-by-side.ts';
import { expectedChat } from './expected-chat.ts';
import { bodiesOf, listOf, loose, words, type Loose, type Recording } from './loose.ts';
import { findRecordings, openReplay, type OpenReplay } from './open-replay.ts';
import { playTurns, type Way } from './play-turns.ts';

/** What the assistant message of each earlier turn must carry, per kind of server (backends.md C). */
const servers: Readonly<Record<string, { vendor: string; returned: (recording: Recording) => object }>> = {
  openrouter: { vendor: 'openrouter', returned: (recording) => ({ reasoning_details: detailsOf(recording) }) },
  deepseek: { vendor: 'deepseek', returned: (recording) => ({ reasoning_content: textOf(recording) }) },
  ollama: { vendor: 'ollama', returned: (recording) => ({ reasoning: textOf(recording) }) },
  mistral: {
    vendor: 'mistral',
    returned: (recording) => ({
      thinking: [{ type: 'thinking', thinking: [{ type: 'text', text: textOf(recording) }], closed: true }],
    }),
  },
  // Gemini's own chat endpoint signs its answers.
  'google-ai': { vendor: 'generic', returned: (recording) => ({ extra_content: saidOf(recording)[0]?.['extra_content'] }) },
};

describe.skipIf(!findRecordings())('reasoning of chat servers goes back as it came', () => {
  let replay: OpenReplay;
  let gateway: StartedGateway;

  beforeAll(async () => {
    replay = await openReplay(['chat-compat-stream', 'chat-compat-sync']);
    const backends = Object.entries(servers).map(
      ([name, { vendor }]) => `  ${name}: { type: chat, vendor: ${vendor}, base_url: "${replay.url}/v1" }`,
    );
    gateway = await startGateway(['store: { url: "memory:" }', 'backends:', ...backends].join('\n'));
  });

  afterAll(async () => {
    await gateway.close();
    replay.close();
  });

  test.each(['sealed', 'ids', 'previous'] as const)('history: %s', { timeout: 60_000 }, async (way) => {
    const recordings = replay.recordings.filter(isThoughtful);
    const plays = recordings.flatMap((recording) => [true, false].map((stream) => ({ recording, stream, way })));
    const faults: string[] = [];
    await runSideBySide(plays, async (play) => {
      faults.push(...(await faultsOf(play)).slice(0, 1));
    });
    console.log(`reasoning of chat servers, ${way}: ${String(plays.length - faults.length)} of ${String(plays.length)}`);
    expect(faults).toEqual([]);
    expect(new Set(recordings.map(({ vendor }) => vendor))).toEqual(new Set(Object.keys(servers)));
  });

  test('reasoning that a client drops is missed', async () => {
    const missed: string[] = [];
    const recordings = replay.recordings.filter(isThoughtful);
    await runSideBySide(recordings, async (recording) => {
      missed.push(...(await faultsOf({ recording, stream: true, way: 'dropped' })));
    });
    expect(missed.filter((fault) => fault.includes('expected twice'))).toHaveLength(recordings.length);
  });

  async function faultsOf({ recording, stream, way }: { recording: Recording; stream: boolean; way: Way }): Promise<string[]> {
    const { vendor } = recording;
    const played = await playTurns({ url: gateway.url, replay, backend: vendor, recording, stream, way });
    const sent = listOf(played.body['messages'])
      .filter(({ role }) => words(role) === 'assistant')
      .map(reasoningMembers);
    const wanted = servers[vendor]?.returned(recording);
    const isSame = isDeepStrictEqual(sent, [wanted, wanted]);
    const difference = `expected twice ${JSON.stringify(wanted)}\n  but sent ${JSON.stringify(sent)}`;
    const found = [...played.faults, ...played.losses.map((path) => `loss at ${path}`), ...(isSame ? [] : [difference])];
    return found.map((fault) => `${recording.id} ${stream ? 'streamed' : 'synced'}: ${fault}`);
  }
});

/** Whether it has reasoning that its server wants back, and an answer. */
function isThoughtful(recording: Recording): boolean {
  if (!(recording.vendor in servers) || recording.response.status !== 200) return false;
  const isSigned = saidOf(recording).some((said) => said['extra_content']);
  return (textOf(recording) !== '' || isSigned) && expectedChat(recording).ending === 'completed';
}

function reasoningMembers(message: Loose): object {
  const names = ['reasoning_details', 'reasoning_content', 'reasoning', 'extra_content'].filter((name) => name in message);
  const thinking = listOf(message['content']).filter(({ type }) => words(type) === 'thinking');
  return { ...Object.fromEntries(names.map((name) => [name, message[name]])), ...(thinking.length > 0 && { thinking }) };
}

function textOf(recording: Recording): string {
  return expectedChat(recording).reasoning;
}

/** The messages of an answer, or their pieces. */
function saidOf(recording: Recording): Loose[] {
  const member = recording.response.chunks === undefined ? 'message' : 'delta';
  return bodiesOf(recording).map((body) => loose(loose(loose(body['choices'])[0])[member]));
}

/** Whole blocks: pieces with the same index and type are one block, whose text grows; other members come with one of the pieces. */
function detailsOf(recording: Recording): Record<string, unknown>[] {
  const blocks = new Map<string, Record<string, unknown>>();
  for (const piece of saidOf(recording).flatMap((said) => listOf(said['reasoning_details']))) {
    const key = `${JSON.stringify(piece['index'])} ${JSON.stringify(piece['type'])}`;
    const block = blocks.get(key);
    if (block === undefined) blocks.set(key, { ...piece });
    else Object.assign(block, piece, 'text' in piece && { text: words(block['text']) + words(piece['text']) });
  }
  return [...blocks.values()];
}
