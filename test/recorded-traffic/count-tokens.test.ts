import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { startGateway, type StartedGateway } from '../doubles/start-gateway.ts';
import { loose, type Recording } from './loose.ts';
import { findRecordings, openReplay, type OpenReplay } from './open-replay.ts';

describe.skipIf(!findRecordings())('recorded token counts of Anthropic, through the whole gateway', () => {
  let replay: OpenReplay;
  let gateway: StartedGateway;

  beforeAll(async () => {
    replay = await openReplay(['anthropic-counttokens-sync']);
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

  test('POST /v1/responses/input_tokens', async () => {
    const faults = (await Promise.all(replay.recordings.map(faultsOf))).flat();
    console.log(
      `recorded anthropic-counttokens-sync: ${String(replay.recordings.length - faults.length)} of ${String(replay.recordings.length)}`,
    );
    expect(faults).toEqual([]);
  });

  async function faultsOf(recording: Recording): Promise<string[]> {
    const response = await fetch(`${gateway.url}/v1/responses/input_tokens`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ model: `anthropic/${replay.nameOf(recording)}`, input: 'How many?' }),
    });
    const body = loose(await response.json());
    const got = [response.status, body['input_tokens'] ?? loose(body['error'])['code']];
    const { status, body: counted } = recording.response;
    const wanted = status === 200 ? [200, loose(counted)['input_tokens']] : [400, 'model_not_found'];
    const [wantedText, gotText] = [JSON.stringify(wanted), JSON.stringify(got)];
    return wantedText === gotText ? [] : [`${recording.id}: expected ${wantedText}, got ${gotText}`];
  }
});
