import type { LogEvent, LogItem } from './log-event.ts';

/** A content or summary part that is open. */
export interface OpenPart {
  readonly kind: 'output_text' | 'refusal' | 'summary_text';
  readonly index: number;
  text: string;
  /** The text-level `.done` has come; only the part-level one may follow. */
  closing: boolean;
  annotations: unknown[];
}

export interface OpenItem {
  readonly id: string;
  readonly type: string;
  readonly index: number;
  readonly callId: string | undefined;
  readonly name: string | undefined;
  part: OpenPart | undefined;
  /** How many parts were closed. */
  parts: number;
  closedParts: unknown[];
  arguments: string;
  argumentsDone: boolean;
}

/** What the oracle remembers while it reads a stream. */
export class StreamState {
  responseId: string | undefined;
  open: OpenItem | undefined;
  terminal: LogEvent | undefined;
  readonly done: LogItem[] = [];
  readonly itemIds = new Set<string>();
  readonly callIds = new Set<string>();
  added = 0;
}
