import { resolve as resolvePath } from 'node:path';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { GatewayError } from '../../model/errors.ts';
import type { ResponseStore, RetentionPolicy, StoredItem, StoredResponse } from '../../model/response-store.ts';
import type { StoredConversation, UpstreamSession } from '../../model/session-store.ts';
import { decodeConversation, decodeSession, encodeSession, encodeSessionKey, type SessionKey } from '../session-row.ts';
import { decodeStored, encodeKey, encodeStored, type StoredRow } from '../stored-row.ts';
import { createSaveQueue, type SaveQueue } from './save-queue.ts';
import { spawnDatabaseWorker } from './spawn-database-worker.ts';
import { openWorkerClient, type WorkerClient } from './worker-client.ts';
import type { Failure } from './worker-messages.ts';

export interface SqliteStoreOptions {
  /** Path of the database; the file and its folder are created when missing (0600, 0700). */
  readonly file: string;
  /** How long a call waits while another process has the database locked; the event loop never waits. Default 10,000 ms. */
  readonly busyTimeoutMs?: number;
  /**
   * `normal` (default): an acknowledged save survives a crash of the process (kill -9), but a power failure may take the last ones (never the file).
   * `full`: it survives a power failure too, at the price of one fsync per transaction.
   */
  readonly synchronous?: 'normal' | 'full';
  /** The database file never grows beyond this many bytes: then saves fail with `storage_full` until something is removed. Default: no limit but the disk. */
  readonly maxFileBytes?: number;
}

const defaultBusyTimeoutMs = 10_000;
/** A trial write of `ensureWritable` stands before a request, so it waits less long for a lock. */
const trialPatienceMs = 1000;
const trialBytes = { least: 64 * 1024, most: 1024 * 1024 };
/** JSON parsed before the event loop gets a turn: some milliseconds. */
const textBetweenTurns = 500_000;

/**
 * The SQLite store: a thread with the database, group commit before it. Resolves when the file is open and its tables are up to date. Throws GatewayError
 * (`storage_unavailable`, `storage_full`) with a message that names the file when it is damaged, foreign, of a newer version, locked or not to be created.
 */
export async function openSqliteStore(options: SqliteStoreOptions): Promise<ResponseStore> {
  const busyTimeoutMs = options.busyTimeoutMs ?? defaultBusyTimeoutMs;
  const settings = {
    file: resolvePath(options.file),
    busyTimeoutMs,
    synchronous: options.synchronous ?? 'normal',
    maxFileBytes: options.maxFileBytes ?? null,
  };
  const client = await openWorkerClient(() => spawnDatabaseWorker(settings));
  return new SqliteStore(client, busyTimeoutMs);
}

class SqliteStore implements ResponseStore {
  readonly #client: WorkerClient;
  readonly #saves: SaveQueue;
  readonly #busyTimeoutMs: number;
  /** Bytes of the last write when it failed for the storage's sake, else null. */
  #failedBytes: number | null = null;
  #trial: Promise<void> | undefined;

  constructor(client: WorkerClient, busyTimeoutMs: number) {
    this.#client = client;
    this.#busyTimeoutMs = busyTimeoutMs;
    this.#saves = createSaveQueue((rows, oldestAt) => this.#writeBatch(rows, oldestAt));
  }

  async saveResponse(stored: StoredResponse): Promise<void> {
    const row = encodeStored(stored);
    return this.#watchWrite(row.body.length + row.events.length, this.#saves.save(row));
  }

  async loadResponse(id: string, owner: string): Promise<StoredResponse | undefined> {
    const text = await this.#client.call('load', { id: encodeKey(id), owner: encodeKey(owner) });
    return text && decodeStored(text);
  }

  async loadChain(id: string, owner: string): Promise<readonly StoredResponse[]> {
    const texts = await this.#client.call('chain', { id: encodeKey(id), owner: encodeKey(owner) });
    const chain: StoredResponse[] = [];
    let parsed = 0;
    for (const text of texts) {
      if (parsed > textBetweenTurns) {
        parsed = 0;
        await nextTurn();
      }
      chain.push(decodeStored(text));
      parsed += text.body.length;
    }
    return chain;
  }

  removeResponse(id: string, owner: string): Promise<boolean> {
    return this.#watchWrite(0, this.#client.call('remove', { id: encodeKey(id), owner: encodeKey(owner) }));
  }

  async loadItems(ids: readonly string[], owner: string): Promise<ReadonlyMap<string, StoredItem>> {
    if (ids.length === 0) return new Map();
    const text = await this.#client.call('items', { ids: ids.map(encodeKey), owner: encodeKey(owner) });
    // The cast: the thread writes exactly this.
    const items = JSON.parse(text) as readonly StoredItem[];
    return new Map(items.map((item) => [item.id, item]));
  }

  async loadConversation(id: string, owner: string): Promise<StoredConversation | undefined> {
    const row = await this.#client.call('loadConversation', { id: encodeKey(id), owner: encodeKey(owner) });
    return row && decodeConversation(row);
  }

  async listConversations(owner: string): Promise<readonly StoredConversation[]> {
    return (await this.#client.call('listConversations', { owner: encodeKey(owner) })).map(decodeConversation);
  }

  removeConversation(id: string, owner: string): Promise<boolean> {
    return this.#watchWrite(0, this.#client.call('removeConversation', { id: encodeKey(id), owner: encodeKey(owner) }));
  }

  async saveSession(session: UpstreamSession): Promise<void> {
    await this.#watchWrite(0, this.#client.call('saveSession', encodeSession(session)));
  }

  async loadSession(key: {
    readonly backend: string;
    readonly headResponseId: string;
    readonly owner: string;
  }): Promise<UpstreamSession | undefined> {
    const { backend, headResponseId, owner } = key;
    const row = await this.#client.call('loadSession', {
      backend: encodeKey(backend),
      headId: encodeKey(headResponseId),
      owner: encodeKey(owner),
    });
    return row && decodeSession(row);
  }

  async removeSession(key: SessionKey): Promise<void> {
    await this.#watchWrite(0, this.#client.call('removeSession', encodeSessionKey(key)));
  }

  async listSessions(owner: string): Promise<readonly UpstreamSession[]> {
    return (await this.#client.call('listSessions', { owner: encodeKey(owner) })).map(decodeSession);
  }

  async ensureWritable(): Promise<void> {
    if (this.#failedBytes === null) return;
    this.#trial ??= this.#tryWrite(this.#failedBytes).finally(() => (this.#trial = undefined));
    return this.#trial;
  }

  pruneResponses(policy: RetentionPolicy): Promise<number> {
    return this.#watchWrite(0, this.#client.call('prune', policy));
  }

  async close(): Promise<void> {
    await this.#saves.drain();
    await this.#client.close();
  }

  #writeBatch(rows: readonly StoredRow[], oldestAt: number): Promise<readonly (Failure | null)[]> {
    // A save waits for a lock once, not once per transaction in front of it.
    const patienceMs = Math.max(0, this.#busyTimeoutMs - (performance.now() - oldestAt));
    return this.#client.call('save', { rows, patienceMs });
  }

  /** Of the size that failed: on a full disk a tiny write may still find a place. */
  async #tryWrite(failedBytes: number): Promise<void> {
    const bytes = Math.min(trialBytes.most, Math.max(trialBytes.least, failedBytes));
    const patienceMs = Math.min(trialPatienceMs, this.#busyTimeoutMs);
    await this.#watchWrite(failedBytes, this.#client.call('tryWrite', { bytes, patienceMs }));
  }

  /** Remembers whether the last write failed, and how large it was. */
  async #watchWrite<T>(bytes: number, written: Promise<T>): Promise<T> {
    try {
      const result = await written;
      this.#failedBytes = null;
      return result;
    } catch (thrown) {
      // A conversation that went on meanwhile says nothing about the storage.
      if (thrown instanceof GatewayError && thrown.code !== 'conversation_locked') this.#failedBytes = bytes;
      throw thrown;
    }
  }
}
