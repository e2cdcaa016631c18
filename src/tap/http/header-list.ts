/** Headers in their order and their own case, repeated ones too. */
export type HeaderList = readonly (readonly [name: string, value: string])[];

/** Node's flat list, without the pseudo headers of HTTP/2. Cookies that HTTP/2 took apart are put together again (RFC 9113 §8.2.3). */
export function toHeaderList(rawHeaders: readonly string[]): HeaderList {
  const all = rawHeaders.flatMap((name, at) => (at % 2 === 0 ? [[name, rawHeaders[at + 1] ?? ''] as const] : []));
  const headers = all.filter(([name]) => !name.startsWith(':'));
  const isSplitCookie = all.length > headers.length && countHeader(headers, 'cookie') > 1;
  return isSplitCookie ? withHeader(headers, 'cookie', findHeader(headers, 'cookie', '; ') ?? '') : headers;
}

/** All values of a header; undefined when there is none. `name` in lower case. */
export function findHeader(headers: HeaderList, name: string, separator = ', '): string | undefined {
  const values = headers.flatMap(([key, value]) => (key.toLowerCase() === name ? [value] : []));
  return values.length === 0 ? undefined : values.join(separator);
}

/** How often a header is there. `name` in lower case. */
function countHeader(headers: HeaderList, name: string): number {
  return headers.filter(([key]) => key.toLowerCase() === name).length;
}

/** With that value in the place of the first header of that name, or at the end; further ones of the name go. */
export function withHeader(headers: HeaderList, name: string, value: string): HeaderList {
  const at = headers.findIndex(([key]) => key.toLowerCase() === name);
  if (at === -1) return [...headers, [name, value]];
  return headers.flatMap(([key, old], index) => {
    if (index === at) return [[key, value] as const];
    return key.toLowerCase() === name ? [] : [[key, old] as const];
  });
}

/** Without the headers of these names, which are in lower case. */
export function withoutHeaders(headers: HeaderList, names: readonly string[]): HeaderList {
  return headers.filter(([name]) => !names.includes(name.toLowerCase()));
}

/** Lower-case names; several values of one name joined as HTTP joins them. */
export function toHeaderRecord(headers: HeaderList): Readonly<Record<string, string>> {
  const names = new Set(headers.map(([name]) => name.toLowerCase()));
  return Object.fromEntries([...names].map((name) => [name, findHeader(headers, name) ?? '']));
}

/** Of this connection only (RFC 9110 §7.6.1), or for the proxy that we are. */
const hopHeaders = [
  'connection',
  'keep-alive',
  'proxy-connection',
  'proxy-authenticate',
  'proxy-authentication-info',
  'proxy-authorization',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
  'http2-settings',
];

/** What goes on to the other side: everything but what concerns this connection, which its `Connection` header may extend. */
export function withoutHopHeaders(headers: HeaderList): HeaderList {
  const named = (findHeader(headers, 'connection') ?? '').split(',').map((name) => name.trim().toLowerCase());
  return withoutHeaders(headers, [...hopHeaders, ...named]);
}
