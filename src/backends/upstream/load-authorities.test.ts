import { execFile } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { openHttpUpstream, type HttpUpstream } from '../../../test/doubles/http-upstream.ts';
import { createTestAuthority, type TestAuthority } from '../../../test/doubles/test-certificates.ts';
import { scratchFolder } from '../../../test/scratch-folder.ts';

const folder = scratchFolder();
let [extra, configured]: TestAuthority[] = [];
let upstreams: readonly HttpUpstream[] = [];
beforeAll(async () => {
  [extra, configured] = [createTestAuthority(), createTestAuthority()];
  const open = (authority: TestAuthority | undefined) =>
    openHttpUpstream((response) => response.end('ok'), authority?.issue('IP:127.0.0.1'));
  upstreams = await Promise.all([open(extra), open(configured), open(createTestAuthority())]);
});
afterAll(async () => {
  await Promise.all(upstreams.map((upstream) => upstream.close()));
  for (const authority of [extra, configured]) authority?.remove();
});

/** Asks every upstream with that client, in a process of its own: the variable counts from its start. */
async function ask(client: string, extraFile: string): Promise<readonly string[]> {
  const script = join(folder, `${client}.mts`);
  const root = join(import.meta.dirname, '../..');
  writeFileSync(
    script,
    `import { createUpstreamClient as backend } from '${root}/backends/upstream/upstream-client.ts';
     import { createUpstreamClient as tap } from '${root}/tap/http/upstream-client.ts';
     import { toUpstreamSite } from '${root}/tap/http/allowed-hosts.ts';
     const [client, caFile, ...urls] = process.argv.slice(2);
     const signal = new AbortController().signal;
     const timeouts = { connectMs: 5000, firstByteMs: 5000, idleMs: 5000 };
     const send = client === 'tap'
       ? (url) => tap(caFile).send({ site: toUpstreamSite(url), method: 'GET', path: '/', headers: [], body: new Uint8Array(0), framing: 'none', signal })
       : (url) => backend({ timeouts, caFile }).send({ method: 'GET', url, headers: {} }, signal);
     for (const url of urls) console.log(await send(url).then(() => 'trusted', ({ code }) => code));
     process.exit(0);`,
  );
  const argv = ['--import', 'tsx', script, client, configured?.caFile ?? '', ...upstreams.map(({ url }) => url)];
  const env = { ...process.env, NODE_EXTRA_CA_CERTS: extraFile };
  const { stdout } = await promisify(execFile)(process.execPath, argv, { env, cwd: join(root, '..') });
  return stdout.trim().split('\n');
}

test.each(['backend', 'tap'])('the authorities of NODE_EXTRA_CA_CERTS count beside the configured ones: %s', async (client) => {
  expect(await ask(client, extra?.caFile ?? '')).toEqual(['trusted', 'trusted', 'upstream_tls_error']);
});

test('a file of them that is no PEM is passed over, as Node does', async () => {
  const file = join(folder, 'extra.pem');
  writeFileSync(file, 'no certificate');
  expect(await ask('tap', file)).toEqual(['upstream_tls_error', 'trusted', 'upstream_tls_error']);
});
