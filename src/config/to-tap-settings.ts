import type { TapDocument } from './document-schema.ts';
import { isLoopback } from './parse-scalars.ts';
import type { SettingsFault } from './settings-error.ts';
import type { TapSettings } from './settings.ts';

export interface TapContext {
  /** The configuration file, for the faults. */
  readonly source: string;
  readonly resolveFile: (path: string) => string;
}

export interface CheckedTaps {
  readonly taps: readonly TapSettings[];
  readonly faults: readonly SettingsFault[];
  readonly warnings: readonly string[];
}

/** The port after the gateway's own. */
export const defaultTapListen = { host: '127.0.0.1', port: 8_721 } as const;

/** The section `taps`, complete. A tap that could be misused from outside, or could not do anything, is a fault. */
export function toTapSettings(documents: Readonly<Record<string, TapDocument>>, context: TapContext): CheckedTaps {
  const taps = Object.entries(documents).map(([name, document]) => toTap(name, document, context));
  const faults = [...taps.flatMap(checkTap), ...checkPorts(taps)];
  return {
    taps,
    faults: faults.map(({ path, message }) => ({ source: context.source, path: `taps.${path}`, message })),
    warnings: taps.flatMap(warnOfTap),
  };
}

/** Hosts of all forward taps: what their certificate authority signs for. */
export function toAuthorityHosts(taps: readonly TapSettings[]): readonly string[] {
  return [...new Set(taps.flatMap(({ mode, hosts }) => (mode === 'forward' ? hosts : [])))];
}

function toTap(name: string, document: TapDocument, { resolveFile }: TapContext): TapSettings {
  const { host, port } = document.listen ?? defaultTapListen;
  const { mode = 'reverse', upstream = null, hosts = [] } = document;
  const ofUpstream = mode === 'forward' && upstream !== null ? [new URL(upstream).host] : [];
  return {
    name,
    mode,
    host,
    port,
    upstream,
    upstreamCaFile: document.upstream_ca_file === undefined ? null : resolveFile(document.upstream_ca_file),
    hosts: hosts.length > 0 ? [...new Set(hosts)] : ofUpstream,
    credential: document.credential ?? null,
  };
}

type TapFault = Pick<SettingsFault, 'path' | 'message'>;

function checkTap(tap: TapSettings): TapFault[] {
  return [...checkTarget(tap), ...checkExposure(tap)];
}

function checkTarget({ name, mode, upstream, hosts }: TapSettings): TapFault[] {
  if (mode === 'reverse' && upstream === null) {
    const message = 'is missing: give the base URL of the model API, for example https://generativelanguage.googleapis.com';
    return [{ path: `${name}.upstream`, message }];
  }
  if (hosts.length > 0 || mode === 'reverse') return [];
  const message =
    'is missing: list the hosts of the model API that the tap may reach, for example [ generativelanguage.googleapis.com ]';
  return [{ path: `${name}.hosts`, message }];
}

/** Whether other machines could use it without a password of the operator's choice. */
export function isExposed({ mode, host, credential }: TapSettings): boolean {
  return !isLoopback(host) && (mode === 'reverse' || credential === null);
}

/** Fail closed: whoever reaches a tap makes calls in the agent server's name. Only a forward tap asks for a password, and a generated one is for programs of this machine. */
function checkExposure(tap: TapSettings): TapFault[] {
  const { name, mode, host } = tap;
  if (!isExposed(tap)) return [];
  const way =
    mode === 'reverse'
      ? 'a reverse tap asks for no password: listen on 127.0.0.1'
      : `set taps.${name}.credential, or listen on 127.0.0.1`;
  return [{ path: `${name}.listen`, message: `other machines can reach ${host}, and ${way}` }];
}

function checkPorts(taps: readonly TapSettings[]): TapFault[] {
  return taps.flatMap(({ name, port }, index) => {
    const twin = port === 0 ? undefined : taps.slice(0, index).find((other) => other.port === port);
    if (twin === undefined) return [];
    return [{ path: `${name}.listen`, message: `port ${port} is that of taps.${twin.name} already: give each tap its own` }];
  });
}

/** A tap on the gateway's own port could not start. */
export function checkTapPorts(taps: readonly TapSettings[], serverPort: number, source: string): SettingsFault[] {
  return taps.flatMap(({ name, port }) => {
    if (port === 0 || port !== serverPort) return [];
    return [
      { source, path: `taps.${name}.listen`, message: `port ${port} is the gateway's own (server.port): choose another one` },
    ];
  });
}

function warnOfTap({ name, mode, host, upstream, credential }: TapSettings): string[] {
  const warnings: string[] = [];
  if (mode === 'reverse' && credential !== null)
    warnings.push(`taps.${name}: credential is for forward mode; a reverse tap does not ask for it`);
  if (!isLoopback(host))
    warnings.push(`taps.${name}: its password crosses the network unencrypted, because a proxy is asked over http`);
  if (upstream?.startsWith('http://') === true && !isLoopback(new URL(upstream).hostname))
    warnings.push(`taps.${name}: the model API's key crosses the network unencrypted, because upstream is http://`);
  return warnings;
}
