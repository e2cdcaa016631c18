import { conversationLocked } from '../model/conversation-locked.ts';

/**
 * One turn at a time in each conversation of an owner, within this process. Processes that share a store are told apart by the store: `saveResponse` refuses a turn whose conversation went
 * on meanwhile.
 */
export interface ConversationLock {
  /**
   * Waits for its turn, in the order of the calls. Resolves with what ends the turn (harmless when called again). Throws `conversation_locked` when the ones before take too long, and
   * `gone.reason` when the client leaves.
   */
  enter(key: ConversationKey, gone: AbortSignal): Promise<() => void>;
}

interface ConversationKey {
  readonly owner: string;
  readonly conversation: string;
}

export interface ConversationLockOptions {
  /** How long a turn waits for the ones before it, in milliseconds. */
  readonly patienceMs: number;
  /** A signal that aborts after so many milliseconds. */
  readonly createTimeout: (milliseconds: number) => AbortSignal;
}

export function createConversationLock({ patienceMs, createTimeout }: ConversationLockOptions): ConversationLock {
  /** Who waits in each conversation that is in use. */
  const lines = new Map<string, Set<() => void>>();

  function createRelease(name: string, line: Set<() => void>): () => void {
    let isOver = false;
    return () => {
      if (isOver) return;
      isOver = true;
      const [next] = line;
      if (next === undefined) lines.delete(name);
      else next();
    };
  }

  return {
    async enter({ owner, conversation }, gone) {
      gone.throwIfAborted();
      const name = JSON.stringify([owner, conversation]);
      const line = lines.get(name);
      if (line === undefined) {
        const own = new Set<() => void>();
        lines.set(name, own);
        return createRelease(name, own);
      }
      await waitInLine(line, { timeout: createTimeout(patienceMs), gone });
      return createRelease(name, line);
    },
  };
}

function waitInLine(
  line: Set<() => void>,
  { timeout, gone }: { readonly timeout: AbortSignal; readonly gone: AbortSignal },
): Promise<void> {
  return new Promise((resolve, reject) => {
    const leave = (): void => {
      line.delete(admit);
      timeout.removeEventListener('abort', giveUp);
      gone.removeEventListener('abort', giveUp);
    };
    const admit = (): void => {
      leave();
      resolve();
    };
    const giveUp = (): void => {
      leave();
      reject(gone.aborted ? (gone.reason as Error) : conversationLocked());
    };
    line.add(admit);
    timeout.addEventListener('abort', giveUp);
    gone.addEventListener('abort', giveUp);
    if (timeout.aborted) giveUp();
  });
}
