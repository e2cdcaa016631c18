import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { loadSettings } from '../../src/config/load-settings.ts';
import { createGateway, type GatewayOverrides } from '../../src/gateway.ts';

export interface StartedGateway {
  /** `http://127.0.0.1:PORT` */
  readonly url: string;
  /** Of its tap; empty without one. */
  readonly tapUrl: string;
  readonly dataDirectory: string;
  close(): Promise<void>;
}

/** A whole gateway in this process, on a free port, from the text of a configuration file. Store and data lie in a folder that goes with it. */
export async function startGateway(
  yaml = 'store: { url: "memory:" }',
  overrides: GatewayOverrides = {},
): Promise<StartedGateway> {
  const dataDirectory = await mkdtemp(join(tmpdir(), 'antiphon-test-'));
  const file = join(dataDirectory, 'antiphon.yaml');
  const settings = await loadSettings({
    argv: ['--config', file, '--port', '0', '--data', join(dataDirectory, 'data')],
    env: { ANTIPHON_DISCOVERY: '0', ANTIPHON_LOG_LEVEL: 'silent' },
    workingDirectory: dataDirectory,
    homeDirectory: dataDirectory,
    // The configuration does not lie on the disk; what it names (certificates) does.
    readFile: (path) => (path === file ? Promise.resolve(yaml) : readFile(path, 'utf8').catch(() => undefined)),
  });
  const gateway = createGateway(settings, overrides);
  const { url, taps } = await gateway.listen();
  return {
    url,
    tapUrl: taps[0]?.url ?? '',
    dataDirectory,
    async close() {
      await gateway.close();
      await rm(dataDirectory, { recursive: true, force: true });
    },
  };
}
