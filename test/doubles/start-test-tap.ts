import { Secret } from '../../src/model/secret.ts';
import type { CertificateAuthority } from '../../src/tap/certificate-authority.ts';
import type { Intercept } from '../../src/tap/model-call.ts';
import type { ExchangeRecorder } from '../../src/tap/recorded-exchange.ts';
import { startTapServer, type TapServer, type TapServerSettings } from '../../src/tap/tap-server.ts';

export interface TestTapOptions extends Partial<Omit<TapServerSettings, 'mode'>> {
  readonly intercept?: Intercept;
  /** Given: a forward tap. */
  readonly authority?: CertificateAuthority;
  readonly recorder?: ExchangeRecorder;
}

export interface TestTap extends TapServer {
  /** `user:password` that it asks for; null in reverse mode. */
  readonly credential: string | null;
  /** What was reported as trouble. */
  readonly troubles: readonly unknown[];
}

/** A tap on a free port of 127.0.0.1 that lets everything pass. */
export async function startTestTap(options: TestTapOptions): Promise<TestTap> {
  const { intercept = () => ({ type: 'pass' }), authority, recorder, ...settings } = options;
  const credential = settings.credential ?? (authority === undefined ? null : new Secret('program:a-password'));
  const troubles: unknown[] = [];
  const tap = await startTapServer({
    settings: {
      name: 'test',
      mode: authority === undefined ? 'reverse' : 'forward',
      host: '127.0.0.1',
      port: 0,
      upstream: null,
      upstreamCaFile: null,
      hosts: [],
      ...settings,
      credential,
    },
    intercept,
    authority: authority ?? null,
    recorder: recorder ?? null,
    onTrouble: (thrown) => troubles.push(thrown),
  });
  return { ...tap, credential: credential?.reveal() ?? null, troubles };
}
