import { errors } from 'undici';
import { GatewayError } from '../../model/errors.ts';

/** How far an exchange had come. */
export type TransportPhase = 'connecting' | 'securing' | 'waiting' | 'reading';

export interface TransportContext {
  /** Scheme, host and port: all of the URL that a client may see. */
  readonly origin: string;
  readonly phase: TransportPhase;
}

/**
 * What Node, OpenSSL or undici threw → what a client may see. The original stays in `cause`.
 * Refused, unresolvable, reset before an answer → `upstream_unreachable`; TLS → `upstream_tls_error`; cut inside the body → `upstream_truncated`; not HTTP →
 * `upstream_invalid_response`.
 */
export function mapTransportError(thrown: unknown, context: TransportContext): GatewayError {
  if (thrown instanceof GatewayError) return thrown;
  const code = errorCode(thrown);
  const options = { cause: thrown };
  const { origin, phase } = context;
  if (phase === 'securing' || isTlsCode(code)) {
    return new GatewayError('upstream_tls_error', `No secure connection to ${origin}: ${explainTls(code)}`, options);
  }
  if (phase === 'connecting') {
    return new GatewayError('upstream_unreachable', `${explainConnect(code)} Is the server running at ${origin}?`, options);
  }
  if (code === 'UND_ERR_INVALID_ARG') {
    return new GatewayError(
      'server_error',
      `The request to ${origin} has an invalid header or path. Check the backend's settings.`,
      options,
    );
  }
  if (isProtocolViolation(thrown, code)) {
    return new GatewayError(
      'upstream_invalid_response',
      `What ${origin} answered is not valid HTTP/1.1. Is it the right port?`,
      options,
    );
  }
  if (phase === 'reading') {
    return new GatewayError('upstream_truncated', `The connection to ${origin} broke before the answer was complete.`, options);
  }
  return new GatewayError('upstream_unreachable', `${origin} closed the connection without an answer.`, options);
}

/** The code of a system, TLS or undici error; '' when it has none. */
function errorCode(thrown: unknown): string {
  if (typeof thrown !== 'object' || thrown === null || !('code' in thrown)) return '';
  return typeof thrown.code === 'string' ? thrown.code : '';
}

const unknownAuthority = new Set([
  'DEPTH_ZERO_SELF_SIGNED_CERT',
  'SELF_SIGNED_CERT_IN_CHAIN',
  'UNABLE_TO_VERIFY_LEAF_SIGNATURE',
  'UNABLE_TO_GET_ISSUER_CERT',
  'UNABLE_TO_GET_ISSUER_CERT_LOCALLY',
  'CERT_UNTRUSTED',
]);

function isTlsCode(code: string): boolean {
  return (
    unknownAuthority.has(code) ||
    code.startsWith('ERR_TLS_') ||
    code.startsWith('ERR_SSL_') ||
    code.startsWith('CERT_') ||
    code === 'EPROTO'
  );
}

function explainTls(code: string): string {
  if (unknownAuthority.has(code))
    return 'its certificate comes from an authority that this machine does not trust. Add that authority to the backend as ca_file.';
  switch (code) {
    case 'CERT_HAS_EXPIRED':
      return 'its certificate has expired.';
    case 'CERT_NOT_YET_VALID':
      return 'its certificate is not valid yet. Is the clock of this machine right?';
    case 'ERR_TLS_CERT_ALTNAME_INVALID':
      return 'its certificate is for another host name.';
    default:
      return 'the TLS handshake failed. Does this port speak https, with TLS 1.2 or newer?';
  }
}

function explainConnect(code: string): string {
  switch (code) {
    case 'ECONNREFUSED':
      return 'The connection was refused.';
    case 'ENOTFOUND':
    case 'EAI_AGAIN':
    case 'EAI_FAIL':
    case 'EAI_NODATA':
      return 'The host name could not be resolved.';
    default:
      return 'The connection could not be opened.';
  }
}

/** llhttp's complaints; undici gives them no usable code. An end of the stream that the parser did not expect is a cut, not a violation. */
function isProtocolViolation(thrown: unknown, code: string): boolean {
  if (code === 'UND_ERR_HEADERS_OVERFLOW') return true;
  return thrown instanceof errors.HTTPParserError && !thrown.message.includes('EOF');
}
