import { gzipSync } from 'node:zlib';
import { isJsonObject, type JsonObject } from '../../../src/lib/json.ts';
import { readAll } from '../gemini-model/loopback-server.ts';
import type { LoggedModelCall, ModelCallPurpose } from './agent-server-options.ts';
import type { ModelHttpResponse } from './model-http.ts';
import { decodedBody, readChunks } from './read-chunks.ts';
import type { ServerState } from './server-state.ts';

export interface ModelCallSettings {
  readonly cascadeId: string;
  readonly purpose: ModelCallPurpose;
  readonly model: string;
  readonly body: JsonObject;
  readonly signal: AbortSignal;
}

/** The model API refused a call. */
export class ModelRefusal extends Error {
  override readonly name = 'ModelRefusal';
  readonly status: number;

  constructor(status: number, body: string) {
    super(body.slice(0, 1_000));
    this.status = status;
  }
}

/** The answer broke off, or ended without a finish reason. */
export class ModelCut extends Error {
  override readonly name = 'ModelCut';
}

/**
 * One call of the model, over the network. Main calls are streamed, the others are one body. Throws ModelRefusal for an error status, ModelCut for a broken answer, the signal's reason
 * when it aborts.
 */
export async function* callModel(state: ServerState, settings: ModelCallSettings): AsyncGenerator<JsonObject> {
  const entry = logCall(state, settings);
  try {
    const response = await send(state, entry, settings);
    entry.status = response.status;
    state.changes.changed();
    if (response.status !== 200) throw new ModelRefusal(response.status, (await readAll(decodedBody(response))).toString());
    yield* readAnswer(state, entry, response);
    entry.outcome = 'done';
  } catch (error) {
    settings.signal.throwIfAborted();
    entry.outcome = error instanceof ModelRefusal ? 'refused' : 'cut';
    throw error instanceof ModelRefusal ? error : new ModelCut('the answer of the model broke off', { cause: error });
  } finally {
    // Stopped by its reader, or aborted.
    entry.outcome ??= 'cancelled';
    state.changes.changed();
  }
}

async function* readAnswer(state: ServerState, entry: LoggedModelCall, response: ModelHttpResponse): AsyncGenerator<JsonObject> {
  let hasEnd = false;
  for await (const chunk of readChunks(response)) {
    entry.chunks.push(chunk);
    state.changes.changed();
    hasEnd ||= isEnd(chunk);
    yield chunk;
  }
  if (!hasEnd) throw new Error('the answer ended without a finish reason');
}

function isEnd(chunk: JsonObject): boolean {
  const [candidate] = Array.isArray(chunk['candidates']) ? (chunk['candidates'] as readonly unknown[]) : [];
  const isFinished = isJsonObject(candidate) && typeof candidate['finishReason'] === 'string';
  return isFinished || isJsonObject(chunk['error']) || isJsonObject(chunk['promptFeedback']);
}

function logCall(state: ServerState, { cascadeId, purpose, model, body }: ModelCallSettings): LoggedModelCall {
  const isArray = state.options.framing === 'array';
  const method = purpose === 'main' ? `streamGenerateContent${isArray ? '' : '?alt=sse'}` : 'generateContent';
  const entry: LoggedModelCall = {
    ...{ type: 'model', cascadeId, purpose, model, body, status: 0, outcome: null },
    path: `/v1beta/models/${encodeURIComponent(model)}:${method}`,
    // The history goes on growing in place; the log keeps what was sent.
    at: performance.now(),
    chunks: [],
  };
  if (state.options.keepsLog !== false) state.log.push(entry);
  state.changes.changed();
  return entry;
}

function send(state: ServerState, { path }: LoggedModelCall, { body, signal }: ModelCallSettings): Promise<ModelHttpResponse> {
  const { gzipRequests, acceptEncoding, modelHeaders } = state.options;
  const json = Buffer.from(JSON.stringify(body));
  return state.modelHttp.post({
    path,
    headers: {
      'content-type': 'application/json',
      'accept-encoding': acceptEncoding ?? 'gzip, br',
      ...(gzipRequests === true && { 'content-encoding': 'gzip' }),
      ...modelHeaders,
    },
    body: gzipRequests === true ? gzipSync(json) : json,
    signal,
  });
}
