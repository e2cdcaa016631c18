import { readEnumSuffix, readMessage } from '../../translate/cascade/read-proto.ts';
import type { AgentServer } from './agent-server.ts';

export interface MessageDelivery {
  readonly server: Pick<AgentServer, 'readSteps'>;
  readonly cascadeId: string;
  /** Steps that were there before. */
  readonly fromStep: number;
  /** Settles with the server's answer to the message. */
  readonly sending: Promise<void>;
  /** Resolves when something else than that answer shows that the turn runs. */
  readonly begun: Promise<void>;
  readonly wait: (milliseconds: number, signal: AbortSignal) => Promise<void>;
  /** The turn's. */
  readonly signal: AbortSignal;
}

/** The answer to a message comes at once; from here on it is worth a look whether the turn goes on without it. */
const lookMs = 500;

/**
 * Resolves when a message has been accepted: the server says so, or the turn runs. Some builds answer only when it is over (backends.md A.2.2, `blocking`), and nobody should wait for
 * the first word till then. Throws why the message was refused, or the signal's reason.
 */
export async function untilAccepted(delivery: MessageDelivery): Promise<void> {
  const { sending, begun, signal } = delivery;
  const over = new AbortController();
  try {
    await Promise.race([sending, begun, untilTold(delivery, AbortSignal.any([signal, over.signal]))]);
  } finally {
    over.abort();
    // Whatever becomes of it now, the steps tell.
    sending.catch(() => undefined);
    signal.throwIfAborted();
  }
}

/** Resolves when the user's words stand among the steps, or the signal aborts: then it does not matter. */
async function untilTold({ server, cascadeId, fromStep, wait }: MessageDelivery, signal: AbortSignal): Promise<void> {
  let isTold = false;
  while (!signal.aborted && !isTold) {
    // Both reject when the signal aborts.
    const steps = await wait(lookMs, signal)
      .then(() => server.readSteps(cascadeId, fromStep, signal))
      .catch(() => []);
    isTold = steps.some(isUserInput);
  }
}

function isUserInput(step: unknown): boolean {
  return readEnumSuffix(readMessage(step)['type'], 'CORTEX_STEP_TYPE_', { 14: 'USER_INPUT' }) === 'USER_INPUT';
}
