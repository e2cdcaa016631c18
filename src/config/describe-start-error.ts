import { GatewayError } from '../model/errors.ts';
import { SettingsError } from './settings-error.ts';

/** What kept the gateway from starting, one line for each thing, for a person. Null: nothing a person could have done; the stack is needed. */
export function describeStartError(thrown: unknown): readonly string[] | null {
  if (thrown instanceof SettingsError) return thrown.message.split('\n');
  // Opening the store: its messages name the file and the way out.
  if (thrown instanceof GatewayError && thrown.code !== 'server_error') return [thrown.message];
  const sentence = thrown instanceof Error && 'code' in thrown ? describeSocketError(thrown) : null;
  return sentence === null ? null : [sentence];
}

function describeSocketError(error: Error & { readonly code: unknown }): string | null {
  const host = 'address' in error ? String(error.address) : 'hostname' in error ? String(error.hostname) : 'the host';
  const port = 'port' in error ? String(error.port) : '';
  switch (error.code) {
    case 'EADDRINUSE':
      return `port ${port} on ${host} is in use: stop what listens there, or choose another one with --port (0 takes any free one)`;
    case 'EACCES':
      return `port ${port} on ${host} needs more rights: choose one above 1023 with --port`;
    case 'EADDRNOTAVAIL':
      return `${host} is not an address of this machine: correct --host, ANTIPHON_HOST or server.host`;
    case 'ENOTFOUND':
    case 'EAI_AGAIN':
      return `${host} cannot be resolved: correct --host, ANTIPHON_HOST or server.host`;
    default:
      return null;
  }
}
