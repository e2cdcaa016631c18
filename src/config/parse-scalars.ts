import { Secret } from '../model/secret.ts';

/** A number, also as text, because that is what a variable and a flag are. Undefined: it is none in that range. */
export function parseWholeNumber(written: unknown, minimum: number, maximum: number): number | undefined {
  const number = typeof written === 'string' && /^\d+$/.test(written.trim()) ? Number(written) : written;
  return typeof number === 'number' && Number.isSafeInteger(number) && number >= minimum && number <= maximum
    ? number
    : undefined;
}

/** A number from 0 to 1, also as text. Undefined: it is none. */
export function parseShare(written: unknown): number | undefined {
  const number = typeof written === 'string' && /^\d*\.?\d+$/.test(written.trim()) ? Number(written) : written;
  return typeof number === 'number' && number >= 0 && number <= 1 ? number : undefined;
}

export function parsePort(written: unknown): number | undefined {
  return parseWholeNumber(written, 0, 65_535);
}

/** A truth value, also as text or as `1` and `0`. Undefined: it is none. */
export function parseYesOrNo(written: unknown): boolean | undefined {
  if (written === true || written === 'true' || written === '1') return true;
  if (written === false || written === 'false' || written === '0') return false;
  return undefined;
}

/** A credential; white space around it goes, because files and shells add line ends. Undefined when it is empty or could not stand in a header. */
export function parseSecret(written: unknown): Secret | undefined {
  const trimmed = typeof written === 'string' ? written.trim() : '';
  return /^[\x21-\x7e]+$/.test(trimmed) ? new Secret(trimmed) : undefined;
}

/** `user:password` as proxies take it: printable ASCII; the first colon ends the user's name, so that has none. White space around it goes. */
export function parseCredential(written: unknown): Secret | undefined {
  const trimmed = typeof written === 'string' ? written.trim() : '';
  return /^[\x20-\x39\x3b-\x7e]+:[\x20-\x7e]+$/.test(trimmed) ? new Secret(trimmed) : undefined;
}

/** 32 bytes in base64 or base64url. */
export function isSealingKey(base64: string): boolean {
  return /^[\w+/-]{43}=?$/.test(base64) && Buffer.from(base64, 'base64').length === 32;
}

/** An address of a model server, without a slash at the end. Credentials in it would end up in logs, so they are refused like everything that is no address. */
export function parseBaseUrl(written: unknown): string | undefined {
  const url = parseUrl(written);
  if (url === undefined || !['http:', 'https:'].includes(url.protocol)) return undefined;
  if (url.username !== '' || url.password !== '' || /[?#]/.test(url.href)) return undefined;
  return url.href.replace(/\/+$/, '');
}

/** The same for servers of OpenAI's APIs: Azure's dated versions want their `?api-version=…` in every call, and nothing else may stand there. */
export function parseVersionedBaseUrl(written: unknown): string | undefined {
  if (typeof written !== 'string') return undefined;
  const [, place = '', query = ''] = /^(.*?)(\?api-version=[\w.-]+)?$/s.exec(written.trim()) ?? [];
  const base = parseBaseUrl(place);
  return base === undefined ? undefined : base + query;
}

/** An origin exactly as a browser sends it. */
export function parseWebOrigin(written: unknown): string | undefined {
  const url = parseUrl(written);
  return url !== undefined && url.origin !== 'null' && url.href === `${url.origin}/` ? url.origin : undefined;
}

function parseUrl(written: unknown): URL | undefined {
  return typeof written === 'string' && URL.canParse(written.trim()) ? new URL(written.trim()) : undefined;
}

/** Whether only this machine can reach that address or name. A name other than `localhost` may lead anywhere. */
export function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '::1' || host === '[::1]' || /^127(\.\d{1,3}){3}$/.test(host);
}
