import { prepareResponse, type PreparedResponse } from '../../engine/prepare-response.ts';
import { ResponseRun } from '../../engine/run-response.ts';
import { GatewayError } from '../../model/errors.ts';
import type { Loss } from '../../model/loss.ts';
import { reportResponse } from '../channels.ts';
import { deliverJson } from '../deliver/deliver-json.ts';
import { deliverSse } from '../deliver/deliver-sse.ts';
import { elapsed, sendJson, timing, type Exchange } from '../exchange.ts';
import { readJsonBody } from '../guards/read-json-body.ts';
import { lossHeader } from '../losses-header.ts';
import { parseCreateResponse } from '../parse-request/parse-create-response.ts';

/** `POST /v1/responses`: parse, prepare, run, and choose the delivery. */
export async function createResponse(exchange: Exchange): Promise<void> {
  const { request, losses } = parseCreateResponse(await readJsonBody(exchange.request, exchange.options.maxBodyBytes));
  const found = {
    context: exchange.context,
    losses: [...losses, ...timeoutLoss(request.timeout, exchange.options.timeouts)],
    gone: exchange.gone,
  };
  const prepared = await prepareResponse(request, found, exchange.options.engine);
  const deadline = startDeadline(request.timeout, exchange);
  const run = new ResponseRun(prepared, { gone: exchange.gone, deadline: deadline.signal }, exchange.options.engine);
  let acceptedMs: number | null = null;
  try {
    if (request.stream) {
      const headers = (): Record<string, string> => {
        acceptedMs = elapsed(exchange);
        return { ...timing(exchange), ...lossHeader([...prepared.losses, ...run.lateLosses]) };
      };
      await deliverSse(run, exchange.raw, { keepAlive: exchange.options.keepAlive, headers, gone: exchange.gone });
    } else {
      const response = await deliverJson(run);
      sendJson(exchange, response, lossHeader([...prepared.losses, ...run.lateLosses]));
    }
  } finally {
    deadline.stop();
    // A delivery that threw may have left it half way.
    await run.events.return(undefined);
    report(run, { prepared, exchange, acceptedMs });
  }
}

/** What the operator's limit takes away of the client's `timeout` (seconds). */
function timeoutLoss(timeout: number | null, { maxTotalMs }: { maxTotalMs: number }): Loss[] {
  if (timeout === null || timeout * 1000 <= maxTotalMs) return [];
  return [
    { path: 'timeout', action: 'approximated', reason: `this gateway allows at most ${String(maxTotalMs / 1000)} seconds` },
  ];
}

/** The whole time of a response: what the client asked for (seconds), but never more than the operator allows, and over when the gateway stops. */
function startDeadline(timeout: number | null, { options, stopping }: Exchange): { signal: AbortSignal; stop: () => void } {
  const { totalMs, maxTotalMs } = options.timeouts;
  const controller = new AbortController();
  const expire = (): void => {
    controller.abort(new GatewayError('upstream_timeout', 'The time for this response is over.'));
  };
  const timer = setTimeout(expire, timeout === null ? totalMs : Math.min(timeout * 1000, maxTotalMs));
  stopping.addEventListener('abort', expire);
  // The body may have taken longer than the gateway had left.
  if (stopping.aborted) expire();
  return {
    signal: controller.signal,
    stop: () => {
      clearTimeout(timer);
      stopping.removeEventListener('abort', expire);
    },
  };
}

function report(run: ResponseRun, facts: { prepared: PreparedResponse; exchange: Exchange; acceptedMs: number | null }): void {
  const { prepared, exchange } = facts;
  const ended = run.isEnded ? run.response : undefined;
  reportResponse({
    requestId: exchange.id,
    responseId: prepared.response.id,
    model: prepared.response.model,
    servedModel: run.servedModel,
    stream: prepared.modelRequest.stream,
    outcome: exchange.gone.aborted ? 'gone' : (ended?.status ?? 'failed'),
    durationMs: elapsed(exchange),
    acceptedMs: facts.acceptedMs,
    usage: ended?.usage ?? null,
    losses: [...prepared.losses, ...run.lateLosses],
    error: run.failure,
  });
}
