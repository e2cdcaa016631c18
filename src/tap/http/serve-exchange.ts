import type { UpstreamSite } from './allowed-hosts.ts';
import type { Caller } from './caller.ts';
import type { ExchangeDeps } from './exchange-deps.ts';
import { findHeader, withoutHopHeaders } from './header-list.ts';
import { parseModelCallPath } from './model-call-path.ts';
import { passAnswer } from './pass-answer.ts';
import { refuseCall, toRefusal, type Refusal } from './refuse-call.ts';
import { serveModelCall } from './serve-model-call.ts';

/** One request from the first byte to the last of its answer: a model call, or something that just goes through. Never rejects. */
export async function serveExchange(caller: Caller, site: UpstreamSite, deps: ExchangeDeps): Promise<void> {
  try {
    const refusal = findUnspeakable(caller);
    const path = caller.method === 'POST' ? parseModelCallPath(caller.path) : null;
    if (refusal !== null) refuseCall(caller, refusal);
    else if (path !== null) await serveModelCall({ caller, site, path, deps });
    else await passThrough(caller, site, deps);
  } catch (thrown) {
    // A caller that leaves while it still sends its body is no trouble of ours.
    if (!caller.gone.aborted) deps.onTrouble(thrown);
    if (caller.hasBegun) caller.break();
    else refuseCall(caller, { status: 500, message: 'The tap met an unexpected error. The log of the gateway has the details.' });
  }
}

/** What cannot go through a proxy of requests and answers. Null: nothing of that kind. */
function findUnspeakable({ path, headers }: Caller): Refusal | null {
  if (!path.startsWith('/')) {
    const message = 'This is not an open proxy: plain http requests to other servers are not passed on.';
    return { status: 405, message };
  }
  const upgrade = findHeader(headers, 'upgrade')?.toLowerCase() ?? 'h2c';
  // Some HTTP libraries offer h2c with every request and are content with no answer to that.
  if (upgrade !== 'h2c') return { status: 501, message: 'The tap does not pass on upgraded connections such as WebSockets.' };
  const coding = findHeader(headers, 'transfer-encoding')?.toLowerCase() ?? 'chunked';
  return coding === 'chunked' ? null : { status: 501, message: 'The tap understands no transfer coding but chunked.' };
}

async function passThrough(caller: Caller, site: UpstreamSite, { upstream, onTrouble }: ExchangeDeps): Promise<void> {
  const { method, path, framing, body, gone: signal } = caller;
  try {
    const answer = await upstream.send({
      site,
      method,
      path,
      headers: withoutHopHeaders(caller.headers),
      body: framing === 'none' ? new Uint8Array(0) : body,
      framing,
      signal,
      onContinue() {
        caller.sendContinue();
      },
    });
    await passAnswer(caller, answer);
  } catch (thrown) {
    if (signal.aborted) return;
    onTrouble(thrown);
    refuseCall(caller, toRefusal(thrown));
  } finally {
    // The rest of a body that nobody wants any more; unread, it would block the connection.
    body.unpipe();
    body.resume();
  }
}
