/**
 * Where a tap writes down what goes through it. All methods are synchronous and never throw: what becomes of the records is the recorder's matter and must not disturb the traffic.
 */
export interface ExchangeRecorder {
  begin(request: RecordedRequest): RecordedExchange;
  /** Writes what is still on its way. Exchanges that have not ended are recorded as cut. */
  close(): Promise<void>;
}

/** A request as it went to the model API: after everything the tap changed in it. */
export interface RecordedRequest {
  readonly method: string;
  /** Absolute: scheme, host, path and query. */
  readonly url: string;
  /** Names in any case; several values of one name joined as HTTP joins them. */
  readonly headers: Readonly<Record<string, string>>;
  /** As it was sent, still compressed when `content-encoding` says so. */
  readonly body: Uint8Array;
}

/** The answer to one request, as the model API sent it. Exactly one of `end` and `break` comes last. */
export interface RecordedExchange {
  answer(status: number, headers: Readonly<Record<string, string>>): void;
  /** Bytes of the body as they came, still compressed when `content-encoding` says so. They are copied. */
  piece(bytes: Uint8Array): void;
  end(): void;
  /** The answer was cut: connection lost, or the program that asked has left. Without `answer` before it there was none at all. */
  break(): void;
}
