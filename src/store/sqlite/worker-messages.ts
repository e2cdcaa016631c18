import type { RetentionPolicy } from '../../model/response-store.ts';
import type { ConversationRow, SessionKey, SessionRow } from '../session-row.ts';
import type { StoredRow, StoredText } from '../stored-row.ts';

/** What the main thread may ask of the database thread: argument and result of each call. All ids are keys (`encodeKey`). */
interface StoreCalls {
  /** One entry per row: null when it is committed. `patienceMs`: how long to wait while another process has the database locked. */
  save: { argument: { rows: readonly StoredRow[]; patienceMs: number }; result: readonly (Failure | null)[] };
  load: { argument: { id: string; owner: string }; result: StoredText | undefined };
  chain: { argument: { id: string; owner: string }; result: readonly StoredText[] };
  /** JSON text of a list of items. */
  items: { argument: { ids: readonly string[]; owner: string }; result: string };
  remove: { argument: { id: string; owner: string }; result: boolean };
  loadConversation: { argument: { id: string; owner: string }; result: ConversationRow | undefined };
  listConversations: { argument: { owner: string }; result: readonly ConversationRow[] };
  removeConversation: { argument: { id: string; owner: string }; result: boolean };
  saveSession: { argument: SessionRow; result: null };
  loadSession: { argument: { backend: string; headId: string; owner: string }; result: SessionRow | undefined };
  removeSession: { argument: SessionKey; result: null };
  listSessions: { argument: { owner: string }; result: readonly SessionRow[] };
  prune: { argument: RetentionPolicy; result: number };
  /** Writes that many bytes and removes them again. */
  tryWrite: { argument: { bytes: number; patienceMs: number }; result: null };
  /** Writes the log into the database file and closes it; the thread ends. */
  close: { argument: null; result: null };
}

export type StoreCall = keyof StoreCalls;
export type Argument<K extends StoreCall> = StoreCalls[K]['argument'];
export type Result<K extends StoreCall> = StoreCalls[K]['result'];

/** Main thread → database thread. */
export interface WorkerRequest<K extends StoreCall = StoreCall> {
  readonly id: number;
  readonly kind: K;
  readonly argument: Argument<K>;
}

/** Database thread → main thread. The first message is `opened`. */
export type WorkerReply =
  | { readonly opened: Failure | null }
  | { readonly id: number; readonly result: unknown }
  | { readonly id: number; readonly failure: Failure };

/** An error on its way between threads. `detail` may name files and SQL: for the operator, never for a client. */
export interface Failure {
  readonly code: 'storage_full' | 'storage_unavailable' | 'already_exists' | 'conversation_locked' | 'internal';
  readonly detail: string;
}

/** How the database thread opens its file (`workerData`). */
export interface DatabaseSettings {
  /** Absolute path. */
  readonly file: string;
  readonly busyTimeoutMs: number;
  readonly synchronous: 'normal' | 'full';
  /** Null = no limit. */
  readonly maxFileBytes: number | null;
}
