import type { IncomingMessage, ServerResponse } from 'node:http';
import { parseJson, type JsonObject } from '../../../src/lib/json.ts';
import { createChanges } from './changes.ts';
import { checkRequest } from './check-request.ts';
import { chooseAnswer } from './choose-answer.ts';
import { tokensOf } from './chunk-writer.ts';
import type { GeminiCall, GeminiModelOptions, ScriptedAnswer, Violation } from './gemini-model-options.ts';
import { contentsOf, isGemini3, member, objectOf } from './gemini-words.ts';
import { googleError } from './google-error.ts';
import { createIssuedSignatures } from './issued-signatures.ts';
import { joinStreamedHistory } from './join-streamed-history.ts';
import { openLoopbackServer, readBody, type LoopbackServer } from './loopback-server.ts';
import { writeChunks, type Framing } from './write-answer.ts';

/**
 * A Gemini-format endpoint on 127.0.0.1 that validates like Gemini 3 and answers the same way every time.
 *
 * What it answers, first match: `options.answer`; a refusal for what is not valid (400, and an entry in `violations`); `refuseFirst`; and then, for a model with `lite` in its id, a short text (these are for
 * titles and summaries); else the directions in the user's text; else the rehearsal backend ("call get_weather for Oslo", "First call getTime, then read_file").
 *
 * Directions stand in double square brackets anywhere in the user's text, and are carried out in their order:
 *
 *     [[say TEXT]]              a text, streamed in pieces of 12
 *     [[think TEXT]]            thinking: counted always, shown with `includeThoughts`
 *     [[think-late TEXT]]       thinking that is only counted here, and told to a `lite` model's caller whose prompt quotes the direction
 *     [[call NAME {"a": 1}]]    a call, if NAME is declared; several in one round are parallel. A JSON text must not contain "]]": write "] ]"
 *     [[outputs]]               says `NAME returned {…}.` for each function response that came last
 *     [[then]]                  what follows is for the model call after the tool results: [[call a]] [[then]] [[call b]] [[then]] [[say done]]
 *     [[finish MAX_TOKENS]]     the finish reason; default STOP
 *     [[pause 50]]              milliseconds of silence
 *     [[hold]]                  silence until the test's `release()`
 *     [[cut]]                   the connection breaks here
 *     [[status 429 2]]          the first 2 (default 1) calls for this round are refused with that status
 *     [[error 503]]             an error object inside the stream
 *
 * After the last round the model says the outputs. So one call is `[[call get_weather {"city":"Oslo"}]]`; three parallel ones are three of them; an own tool with a client's tool is
 * `[[call read_note {"name":"a"}]] [[call get_weather {}]]`; five sequential rounds have `[[then]]` between them.
 */
export async function startGeminiModel(options: GeminiModelOptions = {}): Promise<GeminiModel> {
  const endpoint = new Endpoint(options);
  const server = await openLoopbackServer((request, response) => endpoint.serve(request, response), options);
  return endpoint.withServer(server);
}

export interface GeminiModel {
  /** `http://127.0.0.1:4711`, without a path. */
  readonly url: string;
  readonly port: number;
  /** PEM file of the self-signed certificate, or null. */
  readonly caFile: string | null;
  readonly connections: number;
  readonly calls: readonly GeminiCall[];
  readonly violations: readonly Violation[];
  /** Answers that wait for `release()` now. */
  readonly held: number;
  /** Lets the answers that wait go on. */
  release(): void;
  /** Resolves when the condition holds; it is asked whenever a call arrives, gets a chunk, waits or ends. */
  until(isReached: () => boolean): Promise<void>;
  /** Ends all connections; calls that run are broken off. */
  dropConnections(): void;
  /** Nobody listens at its address any more, and calls that run are broken off. Resolves with what makes it listen there again. */
  leave(): Promise<() => Promise<void>>;
  close(): Promise<void>;
}

type OpenCall = { -readonly [Key in keyof GeminiCall]: GeminiCall[Key] };

class Endpoint {
  readonly #options: GeminiModelOptions;
  readonly #changes = createChanges();
  readonly #calls: OpenCall[] = [];
  readonly #violations: Violation[] = [];
  readonly #signatures;
  readonly #refusals = new Map<string, number>();
  #waiting: (() => void)[] = [];
  #refused = 0;
  #arrived = 0;
  /** Calls whose answer this side broke off. */
  readonly #cut = new WeakSet<GeminiCall>();

  constructor(options: GeminiModelOptions) {
    this.#options = options;
    this.#signatures = createIssuedSignatures({ allowsSkipValues: options.allowsSkipSignatures ?? false });
  }

  withServer(server: LoopbackServer): GeminiModel {
    const heldCount = (): number => this.#waiting.length;
    return {
      url: server.url,
      port: server.port,
      caFile: server.caFile,
      get connections() {
        return server.connections;
      },
      calls: this.#calls,
      violations: this.#violations,
      get held() {
        return heldCount();
      },
      release: () => {
        this.#release();
      },
      until: (isReached) => this.#changes.until(isReached),
      dropConnections: () => {
        server.dropConnections();
      },
      leave: () => server.leave(),
      close: async () => {
        this.#release();
        await server.close();
      },
    };
  }

  async serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const arrivedAt = performance.now();
    const abort = new AbortController();
    const body = await readBody(request);
    const call = this.#open(request, { ...body, arrivedAt });
    response.once('close', () => {
      call.closedAt = performance.now();
      call.wasAborted = !response.writableEnded && !this.#cut.has(call);
      abort.abort(new Error('the client left'));
      this.#changes.changed();
    });
    const answer = await this.#answer(call, abort.signal);
    await this.#write(call, { answer, response, signal: abort.signal });
  }

  #open(request: IncomingMessage, read: { raw: Buffer; text: string; arrivedAt: number }): OpenCall {
    const path = request.url ?? '';
    const [, model = '', verb = ''] = /^\/v1(?:beta|alpha)?\/models\/([^:/?]+)(?::(\w+))?/.exec(path) ?? [];
    const call: OpenCall = {
      index: this.#arrived++,
      method: request.method ?? '',
      path,
      httpVersion: request.httpVersion,
      headers: request.headers,
      model: decodeURIComponent(model),
      verb,
      ...read,
      body: objectOf(parseJson(read.text)),
      violations: [],
      status: 0,
      chunks: [],
      closedAt: null,
      wasAborted: false,
    };
    if (this.#options.keepsCalls !== false) this.#calls.push(call);
    this.#changes.changed();
    return call;
  }

  async #answer(call: OpenCall, signal: AbortSignal): Promise<ScriptedAnswer> {
    const scripted = await this.#options.answer?.(call);
    if (scripted !== undefined) return scripted;
    const { apiKeys } = this.#options;
    if (apiKeys !== undefined && !apiKeys.includes(String(call.headers['x-goog-api-key'])))
      return refuse(400, 'API key not valid. Please pass a valid API key.');
    if (call.method === 'GET') return this.#listModels(call);
    if (call.verb === 'countTokens') return toJson(countTokens(call));
    if (call.verb !== 'generateContent' && call.verb !== 'streamGenerateContent')
      return refuse(404, 'Requested entity was not found.');
    return this.#generate(call, signal);
  }

  async #generate(call: OpenCall, signal: AbortSignal): Promise<ScriptedAnswer> {
    const body = this.#options.takesStreamedHistory === true ? joinStreamedHistory(call.body) : call.body;
    const fault = this.#validate(call, body);
    if (fault !== undefined) return refuse(400, fault);
    const streams = call.verb === 'streamGenerateContent';
    const { refuseFirst } = this.#options;
    if (refuseFirst !== undefined && streams && this.#refused < refuseFirst.times) {
      this.#refused += 1;
      return refuse(refuseFirst.status, 'Refused on purpose.');
    }
    return chooseAnswer({
      ...{ index: call.index, model: call.model, body, streams, signal },
      signatures: this.#signatures,
      givesCallIds: (this.#options.callIds ?? true) && isGemini3(call.model),
      hold: () => this.#hold(signal),
      refusals: this.#refusals,
    });
  }

  /** Records what is wrong; the first fault is what Google would answer. */
  #validate(call: OpenCall, body: JsonObject): string | undefined {
    const forbidden = (this.#options.forbidden ?? []).filter((form) => form.test(call.text));
    const violations = [
      ...checkRequest(body, call.model, this.#signatures),
      ...forbidden.map((form) => `forbidden text: ${String(form)}`),
    ];
    call.violations = violations;
    this.#violations.push(...violations.map((message) => ({ index: call.index, message })));
    return violations[0];
  }

  #listModels(call: OpenCall): ScriptedAnswer {
    const ids = this.#options.models ?? ['gemini-3-pro', 'gemini-3-flash', 'gemini-2.5-flash-lite'];
    const models = ids.map((id) => ({
      name: `models/${id}`,
      displayName: id,
      inputTokenLimit: 1_048_576,
      outputTokenLimit: 65_536,
      supportedGenerationMethods: ['generateContent', 'countTokens'],
      thinking: true,
    }));
    if (call.model === '') return toJson({ models });
    const model = models.find(({ displayName }) => displayName === call.model);
    return model === undefined ? refuse(404, `models/${call.model} is not found`) : toJson(model);
  }

  async #write(
    call: OpenCall,
    { answer, response, signal }: { answer: ScriptedAnswer; response: ServerResponse; signal: AbortSignal },
  ): Promise<void> {
    call.status = answer.status ?? 200;
    const cutAfterBytes = answer.cutAfterBytes ?? this.#options.cutAfterBytes;
    const gzip = this.#options.compresses === true && /\bgzip\b/.test(call.headers['accept-encoding'] ?? '');
    if (answer.body !== undefined || call.status !== 200) {
      const body = answer.body ?? JSON.stringify(googleError(call.status, 'Refused on purpose.'));
      response.writeHead(call.status, { 'content-type': 'application/json; charset=UTF-8', ...answer.headers });
      response.end(body);
      return;
    }
    const chunks: unknown[] = [];
    call.chunks = chunks as GeminiCall['chunks'];
    await writeChunks(
      response,
      { ...answer, ...(cutAfterBytes !== undefined && { cutAfterBytes }) },
      {
        framing: framingOf(call),
        gzip,
        pauseMs: this.#options.pauseMs ?? 0,
        begin: async () => {
          if (this.#options.holds === true && call.verb === 'streamGenerateContent') await this.#hold(signal);
        },
        onChunk: (chunk) => {
          chunks.push(chunk);
          this.#changes.changed();
        },
        onCut: () => {
          if (!signal.aborted) this.#cut.add(call);
        },
        signal,
      },
    );
  }

  /** Resolves at the next release, or when the client has left. */
  async #hold(signal: AbortSignal): Promise<void> {
    if (signal.aborted) return;
    await new Promise<void>((resolve) => {
      this.#waiting.push(resolve);
      signal.addEventListener('abort', () => {
        this.#waiting = this.#waiting.filter((other) => other !== resolve);
        resolve();
      });
      this.#changes.changed();
    });
  }

  #release(): void {
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const go of waiting) go();
  }
}

function framingOf({ verb, path }: GeminiCall): Framing {
  if (verb !== 'streamGenerateContent') return 'whole';
  return new URLSearchParams(path.split('?')[1] ?? '').get('alt') === 'sse' ? 'sse' : 'array';
}

function countTokens({ body }: GeminiCall): object {
  const inner = objectOf(member(body, 'generateContentRequest'));
  const counted = inner['contents'] === undefined ? body : inner;
  const totalTokens = tokensOf(JSON.stringify([contentsOf(counted), member(counted, 'systemInstruction'), counted['tools']]));
  return { totalTokens, promptTokensDetails: [{ modality: 'TEXT', tokenCount: totalTokens }] };
}

function toJson(value: object): ScriptedAnswer {
  return { body: JSON.stringify(value) };
}

function refuse(status: number, message: string): ScriptedAnswer {
  return { status, body: JSON.stringify(googleError(status, message)) };
}
