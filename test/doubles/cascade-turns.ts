import { createCascadeBackend, type CascadeBackendOptions } from '../../src/backends/cascade/cascade-backend.ts';
import type { Backend } from '../../src/model/backend.ts';
import type { GatewayError } from '../../src/model/errors.ts';
import type { Loss } from '../../src/model/loss.ts';
import type { ModelEvent } from '../../src/model/model-event.ts';
import type { InputItem, ModelRequest, TurnSession } from '../../src/model/model-request.ts';
import type { SessionStore } from '../../src/model/session-store.ts';
import { createMemoryStore } from '../../src/store/memory/memory-store.ts';
import { plainRequest } from '../backend-suite.ts';
import { ManualClock } from './manual-clock.ts';
import { ScriptedAgentServer } from './scripted-agent-server.ts';

export interface CascadeBench {
  readonly backend: Backend;
  readonly server: ScriptedAgentServer;
  readonly sessions: SessionStore;
  readonly clock: ManualClock;
}

/** A cascade backend before a scripted agent server. */
export function openCascadeBench(change: Partial<CascadeBackendOptions> = {}): CascadeBench {
  const clock = new ManualClock();
  const server = new ScriptedAgentServer(clock);
  const sessions = change.sessions ?? createMemoryStore();
  const backend = createCascadeBackend({
    ...{ name: 'agent', server, sessions, tap: null, ownTools: 'keep', defaultModel: null, token: null },
    ...{ now: clock.now, wait: clock.wait },
    ...change,
  });
  return { backend, server, sessions, clock };
}

/** The answer of one turn. */
export interface PlayedTurn {
  readonly losses: readonly Loss[];
  readonly batches: readonly (readonly ModelEvent[])[];
  readonly events: readonly ModelEvent[];
  /** What was thrown, or null. */
  readonly thrown: unknown;
  /** Its messages. */
  readonly texts: readonly string[];
}

/** One turn to its end. `signal` and what `onBatch` does may end it early. */
export async function playTurn(
  backend: Backend,
  request: ModelRequest,
  options: { readonly signal?: AbortSignal; readonly onBatch?: (batch: readonly ModelEvent[], at: number) => void } = {},
): Promise<PlayedTurn> {
  const turn = await backend.prepareTurn(request);
  const batches: (readonly ModelEvent[])[] = [];
  let thrown: unknown = null;
  try {
    for await (const batch of turn.stream(options.signal ?? new AbortController().signal)) {
      batches.push(batch);
      options.onBatch?.(batch, batches.length - 1);
    }
  } catch (error) {
    thrown = error;
  }
  const events = batches.flat();
  return { losses: turn.losses, batches, events, thrown, texts: toTexts(events) };
}

/** The error that a turn threw. */
export function errorOfTurn({ thrown }: PlayedTurn): GatewayError {
  if (thrown === null) throw new Error('the turn did not fail');
  return thrown as GatewayError;
}

function toTexts(events: readonly ModelEvent[]): readonly string[] {
  const texts: string[] = [];
  let isOpen = false;
  for (const event of events) {
    if (event.type === 'message-break' || event.type === 'reasoning-delta') isOpen = false;
    if (event.type !== 'text-delta') continue;
    if (!isOpen) texts.push('');
    isOpen = true;
    texts.push((texts.pop() ?? '') + event.delta);
  }
  return texts;
}

export function userItem(text: string, path = 'input[0]'): InputItem {
  return { type: 'message', role: 'user', content: [{ type: 'text', text, path }], path };
}

export function assistantItem(text: string, path = 'input[1]'): InputItem {
  return { type: 'message', role: 'assistant', content: [{ type: 'text', text, path }], path };
}

/** A turn of a conversation: `history` is inherited from the response before. */
export function turnOf(
  responseId: string,
  previousResponseId: string | null,
  {
    history = [],
    own,
    ...change
  }: { readonly history?: readonly InputItem[]; readonly own: readonly InputItem[] } & Partial<ModelRequest>,
): ModelRequest {
  const session: TurnSession = {
    owner: 'alice',
    responseId,
    previousResponseId,
    conversation: 'talk',
    inheritedItems: history.length,
  };
  return { ...plainRequest('one', ''), input: [...history, ...own], session, ...change };
}
