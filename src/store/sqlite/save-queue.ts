import type { StoredRow } from '../stored-row.ts';
import type { Failure } from './worker-messages.ts';
import { fromFailure } from './worker-client.ts';

/** Rows of one transaction. Reads wait for at most one transaction, so it must stay short. */
const rowsAtOnce = 128;
/** UTF-16 code units of one transaction; a single larger row goes alone. */
const textAtOnce = 8_000_000;

/** Writes rows in one transaction; resolves after COMMIT, with null for each row that is in. */
export type WriteBatch = (rows: readonly StoredRow[], oldestAt: number) => Promise<readonly (Failure | null)[]>;

interface Waiting {
  readonly row: StoredRow;
  readonly text: number;
  /** `performance.now()` of the call. */
  readonly since: number;
  readonly resolve: () => void;
  readonly reject: (reason: Error) => void;
}

/** Saves that wait for their transaction. */
export interface SaveQueue {
  /** Resolves when the row is committed. */
  save(row: StoredRow): Promise<void>;
  /** Resolves when nothing waits any more. */
  drain(): Promise<void>;
}

/** Group commit: what arrives while a transaction is being written goes into the next one, together. */
export function createSaveQueue(writeBatch: WriteBatch): SaveQueue {
  const waiting: Waiting[] = [];
  let writing: Promise<void> | undefined;

  async function writeAll(): Promise<void> {
    while (waiting.length > 0) await writeNext(takeBatch(waiting), writeBatch);
    writing = undefined;
  }

  return {
    save(row) {
      return new Promise((resolve, reject) => {
        const text = row.body.length + row.states.length + row.events.length;
        waiting.push({ row, text, since: performance.now(), resolve, reject });
        writing ??= writeAll();
      });
    },
    async drain() {
      await writing;
    },
  };
}

function takeBatch(waiting: Waiting[]): readonly Waiting[] {
  let text = 0;
  let count = 0;
  for (const { text: more } of waiting) {
    if (count > 0 && (count === rowsAtOnce || text + more > textAtOnce)) break;
    text += more;
    count++;
  }
  return waiting.splice(0, count);
}

async function writeNext(batch: readonly Waiting[], writeBatch: WriteBatch): Promise<void> {
  try {
    const outcomes = await writeBatch(
      batch.map(({ row }) => row),
      batch[0]?.since ?? performance.now(),
    );
    batch.forEach(({ resolve, reject }, index) => {
      const failure = outcomes[index];
      if (failure === null) resolve();
      else reject(fromFailure(failure ?? { code: 'internal', detail: 'the database thread did not answer for this row' }));
    });
  } catch (thrown) {
    for (const { reject } of batch) reject(thrown instanceof Error ? thrown : new Error(String(thrown)));
  }
}
