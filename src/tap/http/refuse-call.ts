import { GatewayError } from '../../model/errors.ts';
import type { Caller } from './caller.ts';
import type { HeaderList } from './header-list.ts';

/** A `no` of the tap itself, in the words of Google's APIs, so that the caller's own error handling understands it. */
export interface Refusal {
  readonly status: number;
  readonly message: string;
  /** Beside content type and length. */
  readonly headers?: HeaderList;
}

/** The whole answer. */
export function refuseCall(caller: Caller, { status, message, headers = [] }: Refusal): void {
  const body = Buffer.from(encodeRefusal(status, message));
  const framed: HeaderList = [
    ['content-type', 'application/json; charset=UTF-8'],
    ['content-length', String(body.length)],
  ];
  caller.begin(status, '', [...framed, ...headers]);
  if (caller.method !== 'HEAD') void caller.send(body);
  caller.end();
  // What the caller still sends goes nowhere; unread, it would keep the answer from arriving.
  caller.body.resume();
}

/** The body of the answer. */
export function encodeRefusal(status: number, message: string): string {
  return JSON.stringify({ error: { code: status, message, status: mapStatus(status) } });
}

/** No answer from upstream → what the caller is told. */
export function toRefusal(thrown: unknown): Refusal {
  const { status, message, code } = GatewayError.from(thrown);
  const hint = code === 'upstream_tls_error' ? ' For a tap that is upstream_ca_file.' : '';
  return { status, message: message + hint };
}

/** The name that goes with an HTTP status in Google's APIs. */
function mapStatus(status: number): string {
  switch (status) {
    case 403:
      return 'PERMISSION_DENIED';
    case 421:
      return 'FAILED_PRECONDITION';
    case 405:
    case 501:
      return 'UNIMPLEMENTED';
    case 500:
      return 'INTERNAL';
    case 502:
    case 503:
      return 'UNAVAILABLE';
    case 504:
      return 'DEADLINE_EXCEEDED';
    default:
      return 'INVALID_ARGUMENT';
  }
}
