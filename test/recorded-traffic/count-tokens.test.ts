import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { startGateway, type StartedGateway } from '../doubles/start-gateway.ts';
import { loose, type Recording } from './loose.ts';
import { findRecordings, openReplay, type OpenReplay } from './open-replay.ts';

interface CountDoor {
  readonly name: string;
  /** For a model as the gateway names it. */
  readonly path: (model: string) => string;
  readonly body: object;
  /** Where the count stands. */
  readonly member: string;
}

/** Chat has no such route. */
const doors: readonly CountDoor[] = [
  { name: 'Responses', path: () => '/v1/responses/input_tokens', body: { input: 'How many?' }, member: 'input_tokens' },
  {
    ...{ name: 'Messages', path: () => '/v1/messages/count_tokens', member: 'input_tokens' },
    body: { messages: [{ role: 'user', content: 'How many?' }] },
  },
  {
    ...{ name: 'Gemini', path: (model) => `/v1beta/models/${model}:countTokens`, member: 'totalTokens' },
    body: { contents: [{ role: 'user', parts: [{ text: 'How many?' }] }] },
  },
];

describe.skipIf(!findRecordings())('recorded token counts, behind every door that counts', () => {
  const files = ['anthropic-counttokens-sync', 'gemini-counttokens-sync'];
  let replay: OpenReplay;
  let gateway: StartedGateway;

  beforeAll(async () => {
    replay = await openReplay(files);
    gateway = await startGateway(`
store: { url: "memory:" }
routing: { retries: 0, breaker: off }
backends:
  anthropic: { type: anthropic, base_url: "${replay.url}" }
  gemini: { type: gemini, api_key: test, base_url: "${replay.url}" }
`);
  });

  afterAll(async () => {
    await gateway.close();
    replay.close();
  });

  test.each(files.flatMap((file) => doors.map((door) => ({ file, ...door }))))(
    '$file behind the $name door',
    async ({ file, ...door }) => {
      const recordings = replay.recordings.filter(({ provider }) => file === `${provider}-sync`);
      const faults = (await Promise.all(recordings.map((recording) => faultsOf(recording, door)))).flat();
      const good = recordings.length - faults.length;
      console.log(`recorded ${file} behind the ${door.name} door: ${String(good)} of ${String(recordings.length)}`);
      expect(faults).toEqual([]);
      expect(recordings.length).toBeGreaterThan(0);
    },
  );

  async function faultsOf(recording: Recording, { path, body, member }: CountDoor): Promise<string[]> {
    const backend = recording.provider.startsWith('gemini') ? 'gemini' : 'anthropic';
    const model = `${backend}/${replay.nameOf(recording)}`;
    const response = await fetch(gateway.url + path(model), {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(path(model).includes(model) ? body : { model, ...body }),
    });
    const answer = loose(await response.json());
    const { status, body: counted } = recording.response;
    const wanted = loose(counted)[backend === 'gemini' ? 'totalTokens' : 'input_tokens'];
    // The one that failed named a model that its server does not have.
    const isRight = status === 200 ? response.status === 200 && answer[member] === wanted : [400, 404].includes(response.status);
    return isRight ? [] : [`${recording.id}: expected ${JSON.stringify(wanted)}, got ${JSON.stringify(answer)}`];
  }
});
