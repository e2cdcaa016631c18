import { spawnSync } from 'node:child_process';
import { mkdtempSync, writeFileSync } from 'node:fs';
import { createServer, type AddressInfo } from 'node:net';
import { join } from 'node:path';
import { stringify } from 'yaml';
import type { NodeProgram } from './start-process.ts';

const checkout = join(import.meta.dirname, '..');

/** Builds `dist/` when a source is newer. Throws when the sources do not compile. */
export function buildAntiphon(): void {
  const { status } = spawnSync(process.execPath, ['scripts/build-if-stale.mjs'], {
    cwd: checkout,
    stdio: ['ignore', 'ignore', 'inherit'],
  });
  if (status !== 0) throw new Error('Antiphon could not be built; --without-antiphon measures the rest');
}

/** Subject (c): the product as a user starts it, with an empty data folder of its own inside `folder`. */
export function toAntiphonProgram(upstream: string, folder: string): Promise<NodeProgram> {
  const backends = {
    chat: { type: 'chat', base_url: `${upstream}/v1` },
    gemini: { type: 'gemini', api_key: 'x', base_url: upstream },
    messages: { type: 'anthropic', api_key: 'x', base_url: upstream },
    responses: { type: 'responses', base_url: `${upstream}/v1` },
  };
  return writeAntiphonProgram(folder, { backends });
}

/** The product with these sections of the configuration, a free port and an empty data folder. */
export async function writeAntiphonProgram(folder: string, sections: object): Promise<NodeProgram> {
  const data = mkdtempSync(join(folder, 'antiphon-'));
  const port = await findFreePort();
  const config = join(data, 'antiphon.yaml');
  const settings = { server: { port }, store: { url: `sqlite:${join(data, 'antiphon.db')}` }, ...sections };
  writeFileSync(config, stringify(settings));
  const argv = [join(checkout, 'dist/main.js'), '--config', config, '--port', String(port), '--data', data];
  return { name: 'antiphon', argv, env: { HOME: data } };
}

export async function findFreePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}
