import type { IncomingMessage } from 'node:http';
import { isKnownEncoding } from '../../backends/upstream/decode-content.ts';
import { assertNever } from '../../lib/never.ts';
import { encodeOwnAnswer } from '../frames/answer-framing.ts';
import type { AnswerStage, Interception } from '../model-call.ts';
import type { UpstreamSite } from './allowed-hosts.ts';
import type { BodyFraming, Caller } from './caller.ts';
import type { ExchangeDeps } from './exchange-deps.ts';
import { findHeader, toHeaderRecord, withHeader, withoutHeaders, withoutHopHeaders, type HeaderList } from './header-list.ts';
import type { ModelCallPath } from './model-call-path.ts';
import { decodeCallBody, readCallBody } from './read-call-body.ts';
import { encodeRefusal, refuseCall, toRefusal } from './refuse-call.ts';
import { relayAnswer } from './relay-answer.ts';

export interface ModelCallContext {
  readonly caller: Caller;
  readonly site: UpstreamSite;
  readonly path: ModelCallPath;
  readonly deps: ExchangeDeps;
}

/** A call to the model API: its body is read as a whole, and `intercept` says what becomes of it. */
export async function serveModelCall(context: ModelCallContext): Promise<void> {
  const { caller, path } = context;
  caller.sendContinue();
  const body = await readCallBody(caller.body);
  const interception = body === null ? null : await interceptCall(context, body);
  if (body === null || interception === null) {
    refuseCall(caller, { status: 413, message: 'The request body is larger than 64 MiB.', headers: [['connection', 'close']] });
    return;
  }
  switch (interception.type) {
    case 'pass':
      await sendOn(context, { ...toOriginal(caller, body), stage: null, signal: caller.gone });
      return;
    case 'forward':
      await sendOn(context, toForwarded(caller, body, interception));
      return;
    case 'answer': {
      const own = encodeOwnAnswer(interception.chunks, path.framing);
      caller.begin(200, 'OK', [['content-type', own.contentType]]);
      void caller.send(own.body);
      caller.end();
      return;
    }
    default:
      assertNever(interception, 'interception');
  }
}

/** Null: the body is too large. What cannot be read goes on as it is: whoever wrote it knows better. */
async function interceptCall({ caller, path, deps }: ModelCallContext, body: Uint8Array): Promise<Interception | null> {
  const written = findHeader(caller.headers, 'content-encoding')?.trim().toLowerCase() ?? '';
  const encoding = written === 'identity' ? '' : written;
  if (encoding !== '' && !isKnownEncoding(encoding)) return { type: 'pass' };
  const decoded = await decodeCallBody(body, encoding);
  if (decoded.type === 'too-large') return null;
  if (decoded.type === 'corrupt') return { type: 'pass' };
  return deps.intercept({ model: path.model, streams: path.streams, body: decoded.body, gone: caller.gone });
}

/** A call on its way to the model API. */
interface OutgoingCall {
  readonly headers: HeaderList;
  readonly body: Uint8Array;
  readonly framing: BodyFraming;
  readonly stage: AnswerStage | null;
  readonly signal: AbortSignal;
}

function toOriginal(caller: Caller, body: Uint8Array): Pick<OutgoingCall, 'headers' | 'body' | 'framing'> {
  // `expect` has been met: the body is here.
  return { headers: withoutHeaders(withoutHopHeaders(caller.headers), ['expect']), body, framing: caller.framing };
}

function toForwarded(caller: Caller, original: Uint8Array, interception: Interception & { type: 'forward' }): OutgoingCall {
  const { answer: stage, body } = interception;
  const signal = interception.signal === null ? caller.gone : AbortSignal.any([caller.gone, interception.signal]);
  const call = body === null ? toOriginal(caller, original) : toRewritten(toOriginal(caller, original).headers, body);
  const headers = stage === null ? call.headers : withHeader(call.headers, 'accept-encoding', 'identity');
  return { ...call, headers, stage, signal };
}

function toRewritten(headers: HeaderList, text: string): Pick<OutgoingCall, 'headers' | 'body' | 'framing'> {
  const body = Buffer.from(text);
  const plain = withoutHeaders(headers, ['content-encoding']);
  return { headers: withHeader(plain, 'content-length', String(body.length)), body, framing: 'length' };
}

async function sendOn({ caller, site, path, deps }: ModelCallContext, call: OutgoingCall): Promise<void> {
  const { headers, body, framing, stage, signal } = call;
  const { method, path: target } = caller;
  const url = `${site.protocol}//${site.host}${site.basePath}${target}`;
  const recorded = deps.recorder?.begin({ method, url, headers: toHeaderRecord(headers), body }) ?? null;
  const stop = (): void => {
    caller.break();
  };
  signal.addEventListener('abort', stop, { once: true });
  let answer: IncomingMessage;
  try {
    answer = await deps.upstream.send({ site, method, path: target, headers, body, framing, signal });
  } catch (thrown) {
    recorded?.break();
    if (!signal.aborted) deps.onTrouble(thrown);
    failCall({ caller, stage, signal }, thrown);
    return;
  }
  await relayAnswer({ caller, answer, stage, signal, recorded, framing: path.framing });
  signal.removeEventListener('abort', stop);
}

/** There is no answer. What the caller is told instead, the stage is told too. */
function failCall({ caller, stage, signal }: Pick<OutgoingCall, 'stage' | 'signal'> & { caller: Caller }, thrown: unknown): void {
  if (signal.aborted) {
    stage?.break();
    caller.break();
    return;
  }
  const refusal = toRefusal(thrown);
  stage?.begin(refusal.status);
  stage?.fail(refusal.status, { 'content-type': 'application/json' }, encodeRefusal(refusal.status, refusal.message));
  stage?.end();
  refuseCall(caller, refusal);
}
