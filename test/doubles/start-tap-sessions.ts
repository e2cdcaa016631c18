import type { ModelRequest } from '../../src/model/model-request.ts';
import type { TapTurn } from '../../src/model/model-tap.ts';
import type { AnswerStage, Interception, ModelCall } from '../../src/tap/model-call.ts';
import { createTapSessions } from '../../src/tap/tap-sessions.ts';
import { plainRequest } from '../backend-suite.ts';
import { counterId } from '../counter-id.ts';
import { createTestMarks, encodeBody, PlainAgent, tool } from './tap-conversation.ts';

/** Tap sessions with marks that are equal in every run. */
export function startTapSessions() {
  const marks = createTestMarks();
  const sessions = createTapSessions({ name: 'tap', marks, newId: counterId() });
  let changes = 0;
  return {
    marks,
    intercept: (body: unknown, change: Partial<ModelCall> = {}): Interception =>
      sessions.intercept({
        model: 'gemini-3-flash',
        streams: true,
        body: encodeBody(body),
        gone: new AbortController().signal,
        ...change,
      }),
    openTurn: (change: Partial<ModelRequest> = {}, ownTools: 'keep' | 'drop' = 'keep'): TapTurn =>
      sessions.tap.openTurn({
        request: plainRequest('agent-model', 'hi', { tools: [tool('f')], ...change }),
        replayedItems: 0,
        ownTools,
        onChange: () => void (changes += 1),
      }),
    changes: () => changes,
  };
}

/** An agent that has just been asked. */
export function asked(turn: TapTurn, text = 'hi'): PlainAgent {
  const agent = new PlainAgent();
  agent.say(turn.markText({ block: '', text }));
  return agent;
}

/** The model refuses the call. */
export function failCall(interception: Interception, status: number): void {
  if (interception.type !== 'forward' || interception.answer === null) throw new Error('nobody reads along');
  interception.answer.begin(status);
  interception.answer.fail(status, {}, '{"error":{"message":"no"}}');
  interception.answer.end();
}

export function answerOf(interception: Interception): AnswerStage {
  if (interception.type !== 'forward' || interception.answer === null) throw new Error('nobody reads along');
  return interception.answer;
}

/** What was reported since the last time: deltas, and the types of all else. */
export function showEvents(turn: TapTurn): string[] {
  return turn.takeEvents().map((event) => ('delta' in event ? event.delta : event.type));
}
