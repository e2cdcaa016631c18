import type { Worker } from 'node:worker_threads';
import { conversationLocked } from '../../model/conversation-locked.ts';
import { GatewayError } from '../../model/errors.ts';
import type { Argument, Failure, Result, StoreCall, WorkerReply, WorkerRequest } from './worker-messages.ts';

/** Calls to a database thread. When the thread dies, what it had been given fails, and the next call starts another. */
export interface WorkerClient {
  call<K extends StoreCall>(kind: K, argument: Argument<K>): Promise<Result<K>>;
  /** Waits for what was called, then ends the thread. */
  close(): Promise<void>;
}

/** Resolves when the thread has opened its database. Throws a GatewayError whose message names the file and the reason: for the operator who starts us. */
export async function openWorkerClient(spawn: () => Worker): Promise<WorkerClient> {
  let link = createWorkerLink(spawn());
  let closing: Promise<void> | undefined;
  const failure = await link.opened;
  if (failure !== null) throw new GatewayError(refusalCode(failure), failure.detail);

  return {
    async call(kind, argument) {
      if (closing !== undefined) throw new GatewayError('storage_unavailable', 'The gateway is shutting down.');
      if (link.isDead()) link = createWorkerLink(spawn());
      return link.call(kind, argument);
    },
    close() {
      closing ??= link.close();
      return closing;
    },
  };
}

/** The error a client may see. Files and SQL stay in `cause`. */
export function fromFailure(failure: Failure): Error {
  const cause = new Error(failure.detail);
  switch (failure.code) {
    case 'storage_full':
      return new GatewayError('storage_full', "The gateway's storage is full. Requests with store: false still work.", { cause });
    case 'storage_unavailable':
      return new GatewayError('storage_unavailable', "The gateway's storage is not available at the moment.", { cause });
    case 'conversation_locked':
      return conversationLocked();
    case 'already_exists':
    case 'internal':
      return cause;
  }
}

function refusalCode(failure: Failure): 'storage_full' | 'storage_unavailable' {
  return failure.code === 'storage_full' ? 'storage_full' : 'storage_unavailable';
}

interface WorkerLink extends WorkerClient {
  /** How opening ended. Never rejects. */
  readonly opened: Promise<Failure | null>;
  isDead(): boolean;
}

type Settle = (reply: { readonly result: unknown } | { readonly failure: Failure }) => void;

/** One thread from its start to its end. */
function createWorkerLink(worker: Worker): WorkerLink {
  const pending = new Map<number, Settle>();
  let lastId = 0;
  let isDead = false;
  let death: Failure = { code: 'storage_unavailable', detail: 'the database thread has ended' };

  worker.on('message', (reply: WorkerReply) => {
    if ('opened' in reply) {
      // A thread that could not open its database ends by itself; calls that came early learn why.
      death = reply.opened ?? death;
      return;
    }
    const settle = pending.get(reply.id);
    pending.delete(reply.id);
    settle?.(reply);
  });
  worker.on('error', (error) => {
    death = { code: 'storage_unavailable', detail: `the database thread died: ${String(error)}` };
  });
  worker.on('exit', () => {
    isDead = true;
    for (const settle of pending.values()) settle({ failure: death });
    pending.clear();
  });
  const ended = new Promise<void>((resolve) => {
    worker.once('exit', () => {
      resolve();
    });
  });
  const opened = new Promise<Failure | null>((resolve) => {
    worker.once('message', (first: WorkerReply) => {
      resolve('opened' in first ? first.opened : null);
    });
    worker.once('exit', () => {
      resolve(death);
    });
  });

  function call<K extends StoreCall>(kind: K, argument: Argument<K>): Promise<Result<K>> {
    if (isDead) return Promise.reject(fromFailure(death));
    const request: WorkerRequest<K> = { id: ++lastId, kind, argument };
    return new Promise((resolve, reject) => {
      pending.set(request.id, (reply) => {
        if ('failure' in reply) reject(fromFailure(reply.failure));
        // The cast: the handler of this kind has this result; its type was lost on the way between the threads.
        else resolve(reply.result as Result<K>);
      });
      worker.postMessage(request);
    });
  }

  async function close(): Promise<void> {
    if (!isDead) await call('close', null);
    await ended;
  }

  return { opened, isDead: () => isDead, call, close };
}
