interface CodeEntry {
  readonly status: number;
  readonly type: string;
  readonly retryable?: boolean;
}

/** Every error code a client can meet: its HTTP status, OpenAI's `type`, and whether an SDK may simply try again. */
const codes = {
  // What the client sent (protocol.md §1.2). All of them name `param`.
  missing_required_parameter: { status: 400, type: 'invalid_request_error' },
  unknown_parameter: { status: 400, type: 'invalid_request_error' },
  unsupported_parameter: { status: 400, type: 'invalid_request_error' },
  unsupported_value: { status: 400, type: 'invalid_request_error' },
  invalid_type: { status: 400, type: 'invalid_request_error' },
  invalid_value: { status: 400, type: 'invalid_request_error' },
  integer_below_min_value: { status: 400, type: 'invalid_request_error' },
  integer_above_max_value: { status: 400, type: 'invalid_request_error' },
  decimal_below_min_value: { status: 400, type: 'invalid_request_error' },
  decimal_above_max_value: { status: 400, type: 'invalid_request_error' },
  string_below_min_length: { status: 400, type: 'invalid_request_error' },
  string_above_max_length: { status: 400, type: 'invalid_request_error' },
  array_above_max_length: { status: 400, type: 'invalid_request_error' },
  object_above_max_properties: { status: 400, type: 'invalid_request_error' },
  empty_array: { status: 400, type: 'invalid_request_error' },
  mutually_exclusive_parameters: { status: 400, type: 'invalid_request_error' },
  invalid_function_parameters: { status: 400, type: 'invalid_request_error' },
  invalid_encrypted_content: { status: 400, type: 'invalid_request_error' },
  /** A call without its output, an output without its call: real OpenAI sends `code: null` for these. */
  invalid_request_error: { status: 400, type: 'invalid_request_error' },
  context_length_exceeded: { status: 400, type: 'invalid_request_error' },
  model_not_found: { status: 400, type: 'invalid_request_error' },
  previous_response_not_found: { status: 400, type: 'invalid_request_error' },
  /** Another request is using the conversation (OpenAI's words and status). */
  conversation_locked: { status: 400, type: 'invalid_request_error' },
  invalid_json: { status: 400, type: 'invalid_request_error' },
  json_too_complex: { status: 400, type: 'invalid_request_error' },
  // HTTP
  invalid_api_key: { status: 401, type: 'invalid_request_error' },
  forbidden_host: { status: 403, type: 'invalid_request_error' },
  forbidden_origin: { status: 403, type: 'invalid_request_error' },
  not_found: { status: 404, type: 'invalid_request_error' },
  method_not_allowed: { status: 405, type: 'invalid_request_error' },
  request_too_large: { status: 413, type: 'invalid_request_error' },
  unsupported_media_type: { status: 415, type: 'invalid_request_error' },
  upgrade_required: { status: 426, type: 'invalid_request_error' },
  // The model server (mapping table: docs/errors.md)
  rate_limit_exceeded: { status: 429, type: 'rate_limit_error', retryable: true },
  insufficient_quota: { status: 429, type: 'insufficient_quota' },
  upstream_unreachable: { status: 502, type: 'server_error', retryable: true },
  upstream_tls_error: { status: 502, type: 'server_error' },
  upstream_auth_failed: { status: 502, type: 'server_error' },
  upstream_auth_missing: { status: 401, type: 'invalid_request_error' },
  upstream_error: { status: 502, type: 'server_error', retryable: true },
  /** The model server answered with something that is not its protocol: broken JSON, wrong content type, invalid UTF-8. */
  upstream_invalid_response: { status: 502, type: 'server_error', retryable: true },
  /** The stream ended before the model said that it was done. */
  upstream_truncated: { status: 502, type: 'server_error', retryable: true },
  upstream_event_too_large: { status: 502, type: 'server_error' },
  upstream_overloaded: { status: 503, type: 'server_error', retryable: true },
  upstream_timeout: { status: 504, type: 'server_error', retryable: true },
  // The model
  /** The model called a tool although it must not, or did not call although it must, also after one re-ask. */
  tool_choice_not_followed: { status: 502, type: 'server_error' },
  /** The arguments of a call arrived whole but are not a JSON object. */
  invalid_tool_arguments: { status: 502, type: 'server_error' },
  // Ourselves
  storage_full: { status: 507, type: 'server_error' },
  storage_unavailable: { status: 503, type: 'server_error', retryable: true },
  server_overloaded: { status: 503, type: 'server_error', retryable: true },
  server_error: { status: 500, type: 'server_error' },
} as const satisfies Record<string, CodeEntry>;

export type ErrorCode = keyof typeof codes;

/** The body of every HTTP error, and `error` of the SSE error (protocol.md §1.8). All four keys are always there. */
export interface ErrorBody {
  readonly error: {
    readonly message: string;
    readonly type: string;
    readonly param: string | null;
    readonly code: string | null;
  };
}

export interface GatewayErrorOptions {
  /** JSON path of what was wrong: `input[3].content[0].text`. */
  readonly param?: string;
  /** JSON path of the very place, where OpenAI's own `param` of the Responses API says less: for dialects in which it is theirs to say. */
  readonly place?: string;
  /** What really happened, for our log only. */
  readonly cause?: unknown;
  /** Seconds after which trying again makes sense; becomes `retry-after`. */
  readonly retryAfter?: number;
  /** Work was done already, or the client's own time is over: an SDK that tried again by itself would only pay again. */
  readonly isFinal?: boolean;
  /** When the upstream's status should be shown instead of the table's (for example an upstream 413). */
  readonly status?: number;
}

/** The one error class. Before the first byte it becomes status + body, after it `response.failed`; both from this object. */
export class GatewayError extends Error {
  override readonly name = 'GatewayError';
  readonly code: ErrorCode;
  readonly param: string | null;
  readonly status: number;
  readonly retryAfter: number | null;
  readonly #isFinal: boolean;
  readonly #place: string | null;

  /** Whatever was thrown, as something a client may see. A stranger's text stays in `cause`. */
  static from(thrown: unknown): GatewayError {
    if (thrown instanceof GatewayError) return thrown;
    return new GatewayError('server_error', 'The gateway met an unexpected error. Its log has the details.', { cause: thrown });
  }

  constructor(code: ErrorCode, message: string, options: GatewayErrorOptions = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.code = code;
    this.param = options.param ?? null;
    this.#place = options.place ?? this.param;
    this.status = options.status ?? codes[code].status;
    this.retryAfter = options.retryAfter ?? null;
    this.#isFinal = options.isFinal ?? false;
  }

  /** Where exactly, when `param` says less; else the same. */
  get place(): string | null {
    return this.#place;
  }

  /** OpenAI's class of the error: `invalid_request_error`, `rate_limit_error`, `server_error` … */
  get type(): string {
    return codes[this.code].type;
  }

  /** Whether the same request may succeed later without being changed. */
  get isRetryable(): boolean {
    const entry: CodeEntry = codes[this.code];
    return !this.#isFinal && (entry.retryable ?? false);
  }

  /** The same error, for a client that must not try again by itself. When it may, the person behind it still wants to know. */
  asFinal(): GatewayError {
    const { message, status, retryAfter } = this;
    return new GatewayError(this.code, message, {
      status,
      isFinal: true,
      cause: this,
      ...(this.param !== null && { param: this.param }),
      ...(retryAfter !== null && { retryAfter }),
    });
  }

  /** The same error, of which the client calls the parameter otherwise. The message names it too. */
  withParam(param: string): GatewayError {
    const { status, retryAfter } = this;
    const message = this.param === null ? this.message : this.message.replaceAll(`'${this.param}'`, `'${param}'`);
    return new GatewayError(this.code, message, {
      status,
      param,
      isFinal: this.#isFinal,
      cause: this,
      ...(retryAfter !== null && { retryAfter }),
    });
  }

  /** The wire form. The cause stays in our logs. */
  toBody(): ErrorBody {
    const code = this.code === 'invalid_request_error' ? null : this.code;
    return { error: { message: this.message, type: this.type, param: this.param, code } };
  }
}
