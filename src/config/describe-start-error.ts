import { GatewayError } from '../model/errors.ts';
import { SettingsError } from './settings-error.ts';

/** What kept the gateway from starting, one line for each thing, for a person. Null: nothing a person could have done; the stack is needed. */
export function describeStartError(thrown: unknown): readonly string[] | null {
  if (thrown instanceof SettingsError) return thrown.message.split('\n');
  // Opening the store: its messages name the file and the way out.
  if (thrown instanceof GatewayError && thrown.code !== 'server_error') return [thrown.message];
  const sentence = describeListenError(thrown, { port: '--port', host: '--host, ANTIPHON_HOST or server.host' });
  return sentence === null ? null : [sentence];
}

/** Why a socket could not be opened, in a sentence that names the settings to change. Null: it was something else. */
export function describeListenError(thrown: unknown, settings: { readonly port: string; readonly host: string }): string | null {
  if (!(thrown instanceof Error && 'code' in thrown)) return null;
  const host = 'address' in thrown ? String(thrown.address) : 'hostname' in thrown ? String(thrown.hostname) : 'the host';
  const port = 'port' in thrown ? String(thrown.port) : '';
  switch (thrown.code) {
    case 'EADDRINUSE':
      return `port ${port} on ${host} is in use: stop what listens there, or choose another one with ${settings.port} (0 takes any free one)`;
    case 'EACCES':
      return `port ${port} on ${host} needs more rights: choose one above 1023 with ${settings.port}`;
    case 'EADDRNOTAVAIL':
      return `${host} is not an address of this machine: correct ${settings.host}`;
    case 'ENOTFOUND':
    case 'EAI_AGAIN':
      return `${host} cannot be resolved: correct ${settings.host}`;
    default:
      return null;
  }
}
