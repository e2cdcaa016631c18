import { chmod, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { LoggedRpc } from '../../doubles/agent-server/agent-server-options.ts';
import { startAgentGateway, type AgentGateway, type AgentGatewayOptions } from '../../doubles/start-agent-gateway.ts';
import { ask, errorCodeOf, errorTextOf, messagesOf, openAnswer } from './ask-agent.ts';

const admin = 'admin-key-0123456789';
const client = 'sk-client-0123456789';
const say = { input: '[[say Hi]]' };

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'antiphon-token-'));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

async function withBench(options: AgentGatewayOptions, use: (bench: AgentGateway) => Promise<void>): Promise<void> {
  const bench = await startAgentGateway({ mode: 'none', ...options });
  try {
    await use(bench);
  } finally {
    await bench.close();
  }
}

/** A program that prints what stands in a file, and counts its runs in another one. */
async function tokenCommand(
  name: string,
  token: string,
): Promise<{ yaml: string; print(token: string): Promise<void>; runs(): Promise<number> }> {
  const [source, runs] = [join(folder, `${name}.token`), join(folder, `${name}.runs`)];
  await writeFile(source, token);
  await writeFile(runs, '');
  return {
    yaml: `token_command: ["/bin/sh", "-c", "echo run >> ${runs}; cat ${source}"]`,
    print: (next) => writeFile(source, next),
    runs: async () => (await readFile(runs, 'utf8')).length / 'run\n'.length,
  };
}

function postToken(bench: AgentGateway, key: string | null, body: unknown): Promise<Response> {
  return fetch(`${bench.url}/v1/token`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...(key !== null && { authorization: `Bearer ${key}` }) },
    body: JSON.stringify(body),
  });
}

const authorizations = ({ agent }: AgentGateway): Set<string | undefined> =>
  new Set(agent.requests.filter((entry): entry is LoggedRpc => entry.type === 'rpc').map(({ headers }) => headers.authorization));

describe('a token that is missing', () => {
  test.each([
    ['empty', ', token: ""'],
    ['a variable that is not set', ', token: "${ANTIPHON_TEST_NO_SUCH_VARIABLE}"'],
  ])('is a 401 that tells the three ways to set it, and nothing is sent: %s', async (_, backend) => {
    await withBench({ backend, agent: { tokens: ['good'] } }, async (bench) => {
      for (const stream of [true, false]) {
        const answer = await ask(bench, { ...say, stream });
        expect([answer.status, errorCodeOf(answer)]).toEqual([401, 'upstream_auth_missing']);
        for (const way of ['`token`', '`token_file`', 'POST /v1/token']) expect(errorTextOf(answer)).toContain(way);
      }
      expect(bench.agent.requests).toEqual([]);
    });
  });

  test('is no matter where the backend has no such key: nothing is sent then', async () => {
    await withBench({}, async (bench) => {
      expect((await ask(bench, say)).status).toBe(200);
      expect([...authorizations(bench)]).toEqual([undefined]);
    });
  });
});

test('the token is the Bearer of every call, streams too', async () => {
  await withBench({ mode: 'reverse', backend: ', token: "good-token"', agent: { tokens: ['good-token'] } }, async (bench) => {
    const first = await ask(bench, { ...say, stream: true, conversation: 'one' });
    await ask(bench, { ...say, conversation: 'one' });
    await fetch(`${bench.url}/v1/models`);
    await fetch(`${bench.url}/v1/sessions/one`, { method: 'DELETE' });
    expect(first.body.status).toBe('completed');
    expect([...authorizations(bench)]).toEqual(['Bearer good-token']);
    expect(bench.agent.unauthorized).toBe(0);
    expect(JSON.stringify(bench.model.calls)).not.toContain('good-token');
  });
});

describe('a token that the server refuses', () => {
  test('is fetched anew by one run of the command for all who wait', async () => {
    const command = await tokenCommand('many', 'fresh-token');
    await withBench({ backend: `, token: "stale-token", ${command.yaml}`, agent: { tokens: ['fresh-token'] } }, async (bench) => {
      const turns = Array.from({ length: 16 }, (_, index) =>
        ask(bench, { input: `[[say Turn ${String(index)}]]`, stream: index % 2 === 0 }),
      );
      expect((await Promise.all(turns)).map(({ body }) => messagesOf(body)[0])).toEqual(
        turns.map((_, index) => `Turn ${String(index)}`),
      );
      expect(await command.runs()).toBe(1);
    });
  });

  test.each(['reverse', 'none'] as const)('in the middle of 16 turns too, and nothing is sent twice: %s', async (mode) => {
    const command = await tokenCommand(`mid-${mode}`, 'token-one');
    await withBench({ mode, backend: `, token: "", ${command.yaml}`, agent: { tokens: ['token-one'] } }, async (bench) => {
      const request = { input: '[[say Before.]] [[hold]] [[say After.]]' };
      const open = await Promise.all(Array.from({ length: 16 }, () => openAnswer(bench, request)));
      await bench.model.until(() => bench.model.held === 16);
      await command.print('token-two');
      bench.agent.setTokens(['token-two']);
      bench.model.release();
      for (const { last, faults } of await Promise.all(open.map((answer) => answer.rest()))) {
        expect([faults, last?.type]).toEqual([[], 'response.completed']);
        expect(messagesOf(last?.response ?? ({ output: [] } as never))).toEqual(['Before.After.']);
      }
      expect(await command.runs()).toBe(2);
      expect(bench.agent.bodiesOf('SendUserCascadeMessage')).toHaveLength(16);
    });
  });

  test('is an error of the gateway, not of the client, where there is no fresh one', async () => {
    const command = await tokenCommand('same', 'canary-stale');
    for (const backend of [', token: "canary-stale"', `, token: "", ${command.yaml}`])
      await withBench({ backend, agent: { tokens: ['other'] } }, async (bench) => {
        const answer = await ask(bench, say);
        expect([answer.status, errorCodeOf(answer)]).toEqual([502, 'upstream_auth_failed']);
        expect(JSON.stringify(answer.body)).not.toContain('canary');
      });
  });
});

test('a token file is used while only its owner can read it, and read again after a refusal', async () => {
  const file = join(folder, 'token');
  await writeFile(file, 'file-token\n', { mode: 0o600 });
  await withBench({ backend: `, token_file: "${file}"`, agent: { tokens: ['file-token'] } }, async (bench) => {
    expect((await ask(bench, say)).status).toBe(200);
    await writeFile(file, 'file-token-two\n');
    bench.agent.setTokens(['file-token-two']);
    expect((await ask(bench, say)).status).toBe(200);
    await chmod(file, 0o644);
    bench.agent.setTokens(['file-token-three']);
    expect(errorTextOf(await ask(bench, say))).toContain('600');
  });
  await withBench({ backend: `, token_file: "${file}"`, agent: { tokens: ['file-token-two'] } }, async (bench) => {
    const answer = await ask(bench, say);
    expect(answer.status).toBeGreaterThanOrEqual(401);
    expect(JSON.stringify(answer.body)).not.toContain('file-token');
    expect(bench.agent.requests).toEqual([]);
  });
});

describe('POST /v1/token', () => {
  const server = `keys: ["${client}"], admin_key: "${admin}"`;
  const body = { backend: 'agent', token: 'posted-token' };

  test('sets the token with the admin key only, and says nothing of it', async () => {
    await withBench({ server, backend: ', token: ""', agent: { tokens: ['posted-token'] } }, async (bench) => {
      const headers = { authorization: `Bearer ${client}` };
      expect((await ask(bench, say, headers)).status).toBe(401);
      for (const key of [client, null, 'wrong']) expect([401, 403]).toContain((await postToken(bench, key, body)).status);
      expect((await ask(bench, say, headers)).status).toBe(401);
      const set = await postToken(bench, admin, body);
      expect(set.ok).toBe(true);
      expect(await set.text()).not.toContain('posted');
      expect((await ask(bench, { ...say, stream: true }, headers)).body.status).toBe('completed');
      const other = await fetch(`${bench.url}/v1/models`, { headers: { authorization: `Bearer ${admin}` } });
      expect([401, 403]).toContain(other.status);
    });
  });

  test('wins over the configured one, also in the middle of a turn', async () => {
    await withBench({ server: `admin_key: "${admin}"`, backend: ', token: "one"', agent: { tokens: ['one'] } }, async (bench) => {
      const open = await openAnswer(bench, { input: '[[say Before.]] [[hold]]' });
      await bench.model.until(() => bench.model.held > 0);
      await postToken(bench, admin, { backend: 'agent', token: 'two' });
      bench.agent.setTokens(['two']);
      bench.model.release();
      expect((await open.rest()).last?.type).toBe('response.completed');
    });
  });

  test('names what is wrong with a request', async () => {
    await withBench({ server, backend: ', token: ""' }, async (bench) => {
      for (const wrong of [
        { ...body, backend: 'nobody' },
        { backend: 'agent' },
        { ...body, token: 'canary with spaces' },
        'canary',
      ]) {
        const answer = await postToken(bench, admin, wrong);
        expect(answer.status).toBe(400);
        expect(await answer.text()).not.toContain('canary');
      }
    });
  });

  test.each([`keys: ["${client}"]`, ''])('does not exist without an admin key: %s', async (settings) => {
    await withBench({ server: settings, backend: ', token: ""' }, async (bench) => {
      expect((await postToken(bench, client, body)).status).toBe(404);
    });
  });
});
