import type { Secret } from '../../model/secret.ts';

export interface BearerHeaders {
  readonly apiKey: Secret | null;
  /** Sent after our own: they may replace `authorization`. */
  readonly headers?: Readonly<Record<string, string>>;
}

/** Headers of a call to a server that speaks one of OpenAI's APIs. Names in lower case. */
export function bearerHeaders({ apiKey, headers = {} }: BearerHeaders, stream: boolean): Record<string, string> {
  const own = Object.entries(headers).map(([name, value]) => [name.toLowerCase(), value] as const);
  return {
    accept: stream ? 'text/event-stream' : 'application/json',
    'content-type': 'application/json',
    ...(apiKey !== null && { authorization: `Bearer ${apiKey.reveal()}` }),
    ...Object.fromEntries(own),
  };
}
