import { prepareResponse, type PreparedResponse } from '../../engine/prepare-response.ts';
import { ResponseRun } from '../../engine/run-response.ts';
import { GatewayError } from '../../model/errors.ts';
import type { Loss } from '../../model/loss.ts';
import { reportResponse } from '../channels.ts';
import { deliverJson } from '../deliver/deliver-json.ts';
import { deliverStream } from '../deliver/deliver-stream.ts';
import { elapsed, sendBytes, sendJson, timing, type Exchange } from '../exchange.ts';
import { readJsonSource } from '../guards/read-json-body.ts';
import { lossHeader } from '../losses-header.ts';
import { routeHeader } from '../route-header.ts';
import { sessionKeyOf } from '../session-key.ts';
import { toClientPath, type ClientNames } from '../../translate/front-request.ts';
import type { FrontDoor, LateFacts } from './front-door.ts';
import { toNativeRequest } from './to-native-request.ts';

/** Answers a request of any dialect: parse, prepare, run, and choose the delivery. The only way to a model. */
export async function serveFrontDoor<Facts>(door: FrontDoor<Facts>, exchange: Exchange): Promise<void> {
  const { options, context, gone } = exchange;
  const source = await readJsonSource(exchange.request, options.maxBodyBytes);
  const { request, losses, names, facts } = door.readRequest(source.value, exchange);
  const found = {
    ...{ context, gone, sessionKey: sessionKeyOf(exchange.request.headers, request) },
    losses: [...losses, ...timeoutLoss(request.timeout, options.timeouts)],
    native: toNativeRequest(source, request, { door, exchange }),
  };
  const prepared = await prepareResponse(request, found, options.engine).catch((thrown: unknown) => {
    throw inClientWords(thrown, names);
  });
  const deadline = startDeadline(request.timeout, exchange);
  const run = new ResponseRun(prepared, { gone, deadline: deadline.signal }, options.engine);
  const reported = (): Record<string, string> => ({
    ...routeHeader(run.route),
    ...lossHeader(run.losses.map((loss) => ({ ...loss, path: toClientPath(loss.path, names) }))),
  });
  const late: LateFacts = {
    get stopSequence() {
      return run.stopSequence;
    },
    get failure() {
      return run.failure === null ? null : toClientError(run.failure, names);
    },
  };
  let acceptedMs: number | null = null;
  try {
    if (request.stream) {
      const headers = (): Record<string, string> => {
        acceptedMs = elapsed(exchange);
        return { ...timing(exchange), ...reported(), ...run.passage?.headers };
      };
      const writer = door.openStream(facts, late);
      await deliverStream(run, exchange.raw, { writer, keepAlive: options.keepAlive, headers, gone });
    } else {
      const response = await deliverJson(run);
      const native = run.takeNative();
      if (native === null) sendJson(exchange, door.toBody(response, facts, late), reported());
      else sendBytes(exchange, native, { ...reported(), ...run.passage?.headers });
    }
  } catch (thrown) {
    showRoute(run, exchange);
    throw inClientWords(thrown, names);
  } finally {
    deadline.stop();
    // A delivery that threw may have left it half way.
    await run.events.return(undefined);
    report(run, { prepared, exchange, acceptedMs, stream: request.stream });
  }
}

/** An error answer tells too where the request went in vain. */
function showRoute({ route }: ResponseRun, { raw }: Exchange): void {
  if (raw.headersSent) return;
  for (const [name, value] of Object.entries(routeHeader(route))) raw.setHeader(name, value);
}

/** What was thrown, with the `param` as the client wrote it. */
export function inClientWords(thrown: unknown, names: ClientNames): unknown {
  return thrown instanceof GatewayError ? toClientError(thrown, names) : thrown;
}

function toClientError(error: GatewayError, names: ClientNames): GatewayError {
  if (error.param === null) return error;
  const isHub = names.inputs.length === 0;
  const param = toClientPath(isHub ? error.param : (error.place ?? error.param), names);
  return param === error.param ? error : error.withParam(param);
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

function report(
  run: ResponseRun,
  facts: { prepared: PreparedResponse; exchange: Exchange; acceptedMs: number | null; stream: boolean },
): void {
  const { prepared, exchange } = facts;
  const ended = run.isEnded ? run.response : undefined;
  reportResponse({
    requestId: exchange.id,
    responseId: prepared.response.id,
    model: run.model,
    attempts: run.route.attempts,
    servedModel: run.servedModel,
    stream: facts.stream,
    outcome: exchange.gone.aborted ? 'gone' : (ended?.status ?? 'failed'),
    durationMs: elapsed(exchange),
    acceptedMs: facts.acceptedMs,
    usage: ended?.usage ?? null,
    losses: run.losses,
    error: run.failure,
  });
}
