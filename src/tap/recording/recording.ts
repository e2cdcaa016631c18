/**
 * One recorded exchange, a line of a recording: the format of `shared/recordings/README.md` §2. What we add to it is marked with "ours"; readers of the format pass over it.
 */
export interface Recording extends RecordingLabels {
  /** `source:cassette#n`; ours are `antiphon-tap:<start of the recorder>#n`. */
  readonly id: string;
  readonly group: string;
  readonly source: string;
  readonly fidelity: string;
  /** Not proof of what a server does: the answer was cut, or is longer than what is kept. */
  readonly edited: boolean;
  /** `YYYY-MM-DD`. */
  readonly recorded: string;
  /** Ours: when the request began, in ISO 8601 with milliseconds. Orders the exchanges of one run over all files. */
  readonly recorded_at: string;
  readonly stream: boolean;
  readonly stream_requested: boolean;
  readonly features: readonly string[];
  readonly request: RecordingRequest;
  readonly response: RecordingResponse;
}

/** What an exchange is about. */
export interface RecordingLabels {
  readonly provider: string;
  readonly vendor: string;
  readonly model: string;
}

export interface RecordingRequest {
  readonly method: string;
  /** Path and query, secrets blanked; the host is dropped. */
  readonly path: string;
  /** Ours. Every name; values only of headers that cannot hold a secret. */
  readonly headers: Readonly<Record<string, string>>;
  /** The parsed JSON; null when there is none. */
  readonly body: unknown;
  /** Ours: a body that is text and no JSON. */
  readonly body_text?: string;
  /** Ours: a body that is no text. */
  readonly body_base64?: string;
}

/** Exactly one of `chunks`, `body`, `body_text`, `body_base64` is there, decompressed. */
export interface RecordingResponse {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  /** Data payloads of an event stream in order (an entry that begins with `:` is a comment), elements of a JSON array, or lines. */
  readonly chunks?: readonly string[] | undefined;
  /** `eol` is `crlf`; ours: `lf`. Absent: unknown, as in recordings whose line ends were folded. */
  readonly sse?:
    | {
        readonly event_lines: boolean;
        readonly events?: readonly (string | null)[] | undefined;
        readonly eol?: string | undefined;
      }
    | undefined;
  readonly framing?: string | undefined;
  readonly body?: unknown;
  readonly body_prefix?: string | undefined;
  readonly body_text?: string | undefined;
  /** Ours: a body that is no text. */
  readonly body_base64?: string | undefined;
  /** Ours: the exact text when it is not what `toFrames` makes of the above; one entry for each chunk, and a last one for a cut chunk. Joined they are the body. */
  readonly wire?: readonly string[] | undefined;
  /** Ours: the connection was lost before the end of the body. */
  readonly cut?: boolean | undefined;
  /** Ours: there was no answer at all; `status` is 502 for readers that want one. */
  readonly unanswered?: boolean | undefined;
  /** Ours: why the rest of the body is not kept. */
  readonly note?: string | undefined;
  /** Ours: milliseconds since the request began. */
  readonly timing?: RecordingTiming | undefined;
}

interface RecordingTiming {
  /** The status line came. */
  readonly answer_ms: number;
  /** Each entry of `chunks` was whole. */
  readonly chunks_ms?: readonly number[] | undefined;
  /** The body was over. */
  readonly end_ms: number;
}
