import type { JsonObject } from '../../../lib/json.ts';
import type { LintFault, LintRule } from './lint-rules.ts';

/** `own`: exactly what this gateway sends. `wire`: what OpenAI and others may send besides, and leave out, is no fault. */
export type LintMode = 'own' | 'wire';

export type PartKind = 'output_text' | 'refusal' | 'summary_text' | 'reasoning_text';

/** A content or summary part that is open. */
export interface OpenPart {
  readonly kind: PartKind;
  readonly index: number;
  text: string;
  /** The text-level `.done` has come; only the part-level one may follow. */
  isClosing: boolean;
  /** It was never added; what is missing of it has been reported. */
  readonly isImplied: boolean;
  readonly annotations: unknown[];
}

export interface OpenItem {
  readonly id: unknown;
  readonly type: unknown;
  readonly index: unknown;
  readonly callId: unknown;
  readonly name: unknown;
  part: OpenPart | undefined;
  /** Closed parts. */
  readonly content: JsonObject[];
  readonly summary: JsonObject[];
  arguments: string;
  argumentsDone: boolean;
  /** How far a tool has come; -1: nothing was said of it. */
  step: number;
}

/** What the linter remembers of one stream, and what it found in the event at hand. */
export class LintState {
  readonly mode: LintMode;
  /** Number of the event at hand. */
  at = -1;
  /** Its type. */
  type = '';
  opening: 'nothing' | 'created' | 'running' = 'nothing';
  lastNumber: number | undefined;
  responseId: string | undefined;
  terminal: JsonObject | undefined;
  /** An `error` has come. */
  isBroken = false;
  /** Open items, oldest first. */
  readonly open: OpenItem[] = [];
  /** Items that are done, with their place in the output. */
  readonly done: { readonly index: number; readonly item: JsonObject }[] = [];
  readonly itemIds = new Set<unknown>();
  readonly callIds = new Set<unknown>();
  /** The next `output_index`. */
  nextIndex = 0;
  #faults: LintFault[] = [];

  constructor(mode: LintMode) {
    this.mode = mode;
  }

  get isOwn(): boolean {
    return this.mode === 'own';
  }

  /** Reports the rule when it is broken. */
  check(isBroken: boolean, rule: LintRule, words: string): void {
    if (isBroken) this.report(rule, words);
  }

  report(rule: LintRule, words: string, severity: LintFault['severity'] = 'fault'): void {
    this.#faults.push({ rule, severity, event: this.at, type: this.type, words });
  }

  /** Of the stream as a whole. */
  reportWhole(rule: LintRule, words: string): void {
    this.#faults.push({ rule, severity: 'fault', event: null, type: '', words });
  }

  take(): readonly LintFault[] {
    if (this.#faults.length === 0) return noFaults;
    const faults = this.#faults;
    this.#faults = [];
    return faults;
  }
}

const noFaults: readonly LintFault[] = [];

/** A stranger's value in a sentence. */
export function shown(value: unknown): string {
  if (typeof value === 'string') return value.length > 60 ? `'${value.slice(0, 60)}…'` : `'${value}'`;
  return typeof value === 'number' || typeof value === 'boolean' ? String(value) : value == null ? 'nothing' : 'something else';
}

/** A list of objects; what is no list is empty, what is no object is left out. */
export function objectsOf(value: unknown): readonly JsonObject[] {
  return Array.isArray(value) ? value.filter((entry): entry is JsonObject => typeof entry === 'object' && entry !== null) : [];
}
