import { Agent, type Dispatcher } from 'undici';
import { toWellFormedJson } from '../../lib/to-well-formed-json.ts';
import { GatewayError } from '../../model/errors.ts';
import { createSocketFactory } from './connect-socket.ts';
import { Exchange } from './exchange.ts';
import { loadAuthorities } from './load-authorities.ts';
import type { UpstreamClient, UpstreamRequest, UpstreamTimeouts } from './upstream-port.ts';

export type { UpstreamAnswer, UpstreamClient, UpstreamRequest, UpstreamTimeouts } from './upstream-port.ts';

interface UpstreamClientOptions {
  readonly timeouts: UpstreamTimeouts;
  /** PEM file with authorities to trust in addition to Node's own. */
  readonly caFile?: string;
  /** On https a server that prefers h2 is spoken to in h2. Each exchange still has its connection for itself, so that no long-polling one is in another's way. */
  readonly allowH2?: boolean;
}

/** Throws when `caFile` cannot be read. */
export function createUpstreamClient(options: UpstreamClientOptions): UpstreamClient {
  const { timeouts, allowH2 = false } = options;
  const secureContext = options.caFile === undefined ? null : loadAuthorities(options.caFile);
  const sockets = createSocketFactory({ connectMs: timeouts.connectMs, secureContext, allowH2 });
  const shared = { connect: sockets.connect, headersTimeout: 0, bodyTimeout: 0, allowH2 };
  const agent = new Agent(shared);
  /** Without pipelining undici keeps no connection: every request gets a new one. */
  const freshAgent = new Agent({ ...shared, pipelining: 0 });
  let closing: Promise<void> | undefined;

  return {
    async send(request, signal) {
      signal.throwIfAborted();
      const { origin, dispatch } = toDispatch(request);
      const exchange = { origin, timeouts: toBudgets(request, timeouts), signal };
      const first = new Exchange(exchange);
      (request.isOnce === true ? freshAgent : agent).dispatch(dispatch, first);
      try {
        return await first.answer;
      } catch (error) {
        if (request.isOnce === true || !sockets.brokeUsedSocket(first.brokenUnanswered)) throw error;
      }
      signal.throwIfAborted();
      const second = new Exchange(exchange);
      freshAgent.dispatch(dispatch, second);
      return second.answer;
    },
    close: () => (closing ??= Promise.all([agent.close(), freshAgent.close()]).then(() => undefined)),
  };
}

const unhurried = { firstByteMs: Infinity, idleMs: Infinity };

function toBudgets(
  { isLongPoll, firstByteMs }: UpstreamRequest,
  timeouts: UpstreamTimeouts,
): Omit<UpstreamTimeouts, 'connectMs'> {
  if (isLongPoll === true) return unhurried;
  return { ...timeouts, firstByteMs: Math.min(firstByteMs ?? Infinity, timeouts.firstByteMs) };
}

function toDispatch(request: UpstreamRequest): { origin: string; dispatch: Dispatcher.DispatchOptions } {
  if (!URL.canParse(request.url))
    throw new GatewayError('server_error', 'The address of the model server is not a valid URL. Check base_url of the backend.');
  const url = new URL(request.url);
  const headers = { 'accept-encoding': 'identity', ...request.headers };
  const dispatch = {
    origin: url.origin,
    path: url.pathname + url.search,
    method: request.method,
    headers,
    body: request.body === undefined ? null : toBody(request.body),
  };
  return { origin: url.origin, dispatch };
}

/** What clients cut in the middle of an emoji would make the server refuse everything. Bytes are only looked at one by one, so frames around the JSON stay whole. */
function toBody(body: string | Uint8Array): string | Uint8Array {
  if (typeof body === 'string') return toWellFormedJson(body);
  const bytes = Buffer.from(body.buffer, body.byteOffset, body.byteLength);
  return bytes.includes(escapeStart) ? Buffer.from(toWellFormedJson(bytes.toString('latin1')), 'latin1') : body;
}

const escapeStart = String.raw`\u`;
