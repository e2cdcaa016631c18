import { isJsonObject, parseJson, type JsonObject } from '../../lib/json.ts';
import { GatewayError } from '../../model/errors.ts';
import type { Secret } from '../../model/secret.ts';
import { faultKindOf, mapCascadeError } from '../../translate/cascade/map-cascade-error.ts';
import { readConnectError, type ConnectError } from '../../translate/cascade/read-connect-error.ts';
import { readMessage } from '../../translate/cascade/read-proto.ts';
import { cleanMessage } from '../upstream/clean-message.ts';
import { knownSecrets } from '../upstream/known-secrets.ts';
import { parseRetryAfter } from '../upstream/parse-retry-after.ts';
import { readFailure, readText } from '../upstream/read-body.ts';
import {
  createUpstreamClient,
  type UpstreamAnswer,
  type UpstreamClient,
  type UpstreamRequest,
  type UpstreamTimeouts,
} from '../upstream/upstream-client.ts';
import { encodeEnvelope, EnvelopeDecoder, type Envelope } from './connect-envelope.ts';
import type { TokenSource } from './token-source.ts';

export interface ConnectClientOptions {
  readonly backendName: string;
  /** Without a slash at the end. */
  readonly baseUrl: string;
  readonly csrfToken: Secret | null;
  /** Null: calls carry no access token. */
  readonly token: TokenSource | null;
  /** Sent with every call, after our own. */
  readonly headers: Readonly<Record<string, string>>;
  /** PEM file with authorities to trust in addition. */
  readonly caFile?: string;
  readonly timeouts: UpstreamTimeouts;
  /** Our own version, for `user-agent`. */
  readonly clientVersion?: string;
  /** Unix milliseconds. */
  readonly now: () => number;
}

type CallTerms = Pick<UpstreamRequest, 'firstByteMs' | 'isOnce'>;

/** Calls of one Connect service in JSON, over HTTP/1.1 or h2 (backends.md A.1). A call whose token is refused is repeated once with a fresh one. */
export interface ConnectClient {
  /**
   * One message there, one back; an empty answer is `{}`. Throws GatewayError (`mapCascadeError`, transport), or the signal's reason. `firstByteMs`: when the answer is due, if sooner
   * than the budget of the backend; `isOnce`: it must not be served twice.
   */
  call(method: string, message: object, signal: AbortSignal, terms?: CallTerms): Promise<JsonObject>;
  /**
   * One message there, a stream back that may be silent for any time: the payloads that one read of the socket brought, the first time `[]` when the server has accepted the
   * call. Ends with the server's end frame; throws what that frame says, `upstream_truncated` when the stream just stops, `upstream_invalid_response` when it is none.
   */
  stream(method: string, message: object, signal: AbortSignal): AsyncGenerator<readonly Uint8Array[]>;
  /** What of the server's words may be shown (`cleanMessage`): none of the credentials it was sent. */
  clean(text: string): string | undefined;
  close(): Promise<void>;
}

const service = 'exa.language_server_pb.LanguageServerService';
const maxFrameBytes = 64 * 1024 * 1024;
const compressed = 1;
const endOfStream = 2;

/** Must be closed. Throws when `caFile` cannot be read. */
export function openConnectClient(options: ConnectClientOptions): ConnectClient {
  return new ServiceClient(options);
}

class ServiceClient implements ConnectClient {
  readonly #options: ConnectClientOptions;
  readonly #client: UpstreamClient;

  constructor(options: ConnectClientOptions) {
    const { timeouts, caFile } = options;
    this.#options = options;
    this.#client = createUpstreamClient({ timeouts, allowH2: true, ...(caFile !== undefined && { caFile }) });
  }

  async call(method: string, message: object, signal: AbortSignal, terms: CallTerms = {}): Promise<JsonObject> {
    const source = this.#options.token;
    const token = source === null ? null : await source.current(signal);
    try {
      return await this.#callOnce(method, message, { token, signal, terms });
    } catch (error) {
      if (source === null || token === null || faultKindOf(error) !== 'token') throw error;
      return this.#callOnce(method, message, { token: await source.refresh(token, signal), signal, terms });
    }
  }

  async *stream(method: string, message: object, signal: AbortSignal): AsyncGenerator<readonly Uint8Array[]> {
    const source = this.#options.token;
    const token = source === null ? null : await source.current(signal);
    try {
      yield* this.#streamOnce(method, message, { token, signal });
      return;
    } catch (error) {
      if (source === null || token === null || faultKindOf(error) !== 'token') throw error;
    }
    yield* this.#streamOnce(method, message, { token: await source.refresh(token, signal), signal });
  }

  clean(text: string): string | undefined {
    const { csrfToken, token, headers } = this.#options;
    const secrets = [...(csrfToken === null ? [] : [csrfToken]), ...(token?.known ?? []), ...knownSecrets(null, headers)];
    // The longest first: none may be left half-hidden by a shorter one in it.
    secrets.sort((a, b) => b.reveal().length - a.reveal().length);
    return cleanMessage(text, secrets);
  }

  async close(): Promise<void> {
    await this.#client.close();
  }

  async #callOnce(method: string, message: object, sending: Sending): Promise<JsonObject> {
    const answer = await this.#send({ method, contentType: 'application/json', body: JSON.stringify(message) }, sending);
    const text = await readText([], answer.body[Symbol.asyncIterator]());
    const value = text.trim() === '' ? null : parseJson(text);
    if (value === null) return {};
    if (isJsonObject(value)) return value;
    throw this.#notConnect(method, 'something that is not a JSON message');
  }

  async *#streamOnce(method: string, message: object, sending: Sending): AsyncGenerator<readonly Uint8Array[]> {
    const call = { method, contentType: 'application/connect+json', body: encodeEnvelope(JSON.stringify(message)) };
    const answer = await this.#send(call, sending);
    const decoder = new EnvelopeDecoder(maxFrameBytes);
    // Leaving the loop early, for whatever reason, destroys the socket.
    for await (const bytes of this.#accepted(method, answer)) {
      const envelopes = this.#decode(method, decoder, bytes);
      const end = envelopes.findIndex(({ flags }) => (flags & endOfStream) !== 0);
      const messages = end === -1 ? envelopes : envelopes.slice(0, end);
      yield messages.map(({ payload }) => payload);
      const last = envelopes[end];
      if (last === undefined) continue;
      this.#checkEnd(method, last, sending.token);
      return;
    }
    throw new GatewayError(
      'upstream_truncated',
      `The agent server of the backend ${this.#options.backendName} broke off ${method}.`,
    );
  }

  /** The body of a stream's answer, after an empty piece for its status line. */
  async *#accepted(method: string, answer: UpstreamAnswer): AsyncGenerator<Uint8Array> {
    const type = answer.headers['content-type'] ?? '';
    if (!/^\s*application\/connect\+json\b/i.test(type)) {
      await answer.body[Symbol.asyncIterator]().return?.();
      throw this.#notConnect(method, 'something that is not a stream of messages');
    }
    yield new Uint8Array();
    yield* answer.body;
  }

  #decode(method: string, decoder: EnvelopeDecoder, bytes: Uint8Array): readonly Envelope[] {
    const envelopes = decodeOrNull(decoder, bytes);
    if (envelopes === null) {
      throw new GatewayError(
        'upstream_event_too_large',
        `The agent server of the backend ${this.#options.backendName} sent a message of more than ${maxFrameBytes} bytes (${method}).`,
      );
    }
    if (envelopes.some(({ flags }) => (flags & compressed) !== 0)) {
      throw this.#notConnect(method, 'a compressed message, which was not asked for');
    }
    return envelopes;
  }

  #checkEnd(method: string, end: Envelope, token: Secret | null): void {
    const { error } = readMessage(parseJson(Buffer.from(end.payload).toString()));
    if (error !== undefined && error !== null) throw this.#mapError(method, { ...readConnectError(error), status: null }, token);
  }

  /** A 2xx answer; everything else is thrown. */
  async #send(call: Call, { token, signal, terms }: Sending): Promise<UpstreamAnswer> {
    const { baseUrl, now } = this.#options;
    const request = {
      method: 'POST',
      url: `${baseUrl}/${service}/${call.method}`,
      headers: this.#headers(call.contentType, token),
      body: call.body,
      isLongPoll: typeof call.body !== 'string',
      ...terms,
    } as const;
    const answer = await this.#client.send(request, signal);
    if (answer.status >= 200 && answer.status <= 299) return answer;
    const { status, headers, body } = await readFailure(answer, signal);
    const json = parseJson(body);
    const error = readConnectError(json);
    const found = {
      status,
      code: error.code,
      // A guard in front of the service (CSRF, an unknown path) answers in plain words.
      message: json === undefined ? body : error.message,
      retryAfter: parseRetryAfter(headers, now()) ?? error.retryAfter,
    };
    throw this.#mapError(call.method, found, token);
  }

  #headers(contentType: string, token: Secret | null): Record<string, string> {
    const { csrfToken, clientVersion, headers } = this.#options;
    return {
      'content-type': contentType,
      'connect-protocol-version': '1',
      'user-agent': clientVersion === undefined ? 'antiphon' : `antiphon/${clientVersion}`,
      ...(csrfToken !== null && { 'x-codeium-csrf-token': csrfToken.reveal() }),
      ...(token !== null && { authorization: `Bearer ${token.reveal()}` }),
      ...Object.fromEntries(Object.entries(headers).map(([name, value]) => [name.toLowerCase(), value])),
    };
  }

  #mapError(method: string, error: ConnectError & { readonly status: number | null }, token: Secret | null): GatewayError {
    const { backendName, csrfToken } = this.#options;
    const { status, code, message, retryAfter } = error;
    return mapCascadeError(
      { status, code, text: this.clean(message) ?? null, retryAfter },
      { backendName, method, hasCsrfToken: csrfToken !== null, hasToken: token !== null },
    );
  }

  #notConnect(method: string, what: string): GatewayError {
    return new GatewayError(
      'upstream_invalid_response',
      `The backend ${this.#options.backendName} answered ${method} with ${what}. Does its base_url point at an agent server?`,
    );
  }
}

interface Call {
  readonly method: string;
  readonly contentType: string;
  /** Text of a unary call, bytes of a stream's. */
  readonly body: string | Uint8Array;
}

interface Sending {
  readonly token: Secret | null;
  readonly signal: AbortSignal;
  readonly terms?: CallTerms;
}

function decodeOrNull(decoder: EnvelopeDecoder, bytes: Uint8Array): readonly Envelope[] | null {
  try {
    return decoder.push(bytes);
  } catch (error) {
    if (error instanceof RangeError) return null;
    throw error;
  }
}
