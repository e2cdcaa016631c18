/** A streaming event as a client gets it: any member may be missing or wrong. */
export interface LogEvent {
  readonly type: string;
  readonly sequence_number?: number;
  readonly response?: LogResponse;
  readonly output_index?: number;
  readonly item_id?: string;
  readonly content_index?: number;
  readonly summary_index?: number;
  readonly annotation_index?: number;
  readonly item?: LogItem;
  readonly part?: LogPart;
  readonly annotation?: unknown;
  readonly delta?: unknown;
  readonly text?: string;
  readonly refusal?: string;
  readonly name?: string;
  readonly arguments?: string;
  readonly logprobs?: unknown;
}

export interface LogResponse {
  readonly id: string;
  readonly status: string;
  readonly output: readonly LogItem[];
  readonly usage: LogUsage | null;
  readonly error: { readonly code?: string; readonly message?: string; readonly type?: string } | null;
  readonly incomplete_details: { readonly reason?: string } | null;
  readonly completed_at: number | null;
}

interface LogUsage {
  readonly input_tokens: number;
  readonly input_tokens_details: { readonly cached_tokens: number; readonly cache_write_tokens: number };
  readonly output_tokens: number;
  readonly output_tokens_details: { readonly reasoning_tokens: number };
  readonly total_tokens: number;
}

export interface LogItem {
  readonly id: string;
  readonly type: string;
  readonly status?: string;
  readonly call_id?: string;
  readonly name?: string;
  readonly arguments?: string;
  readonly content?: readonly LogPart[];
  readonly summary?: readonly LogPart[];
}

export interface LogPart {
  readonly type: string;
  readonly text?: string;
  readonly refusal?: string;
  readonly annotations?: readonly unknown[];
}
