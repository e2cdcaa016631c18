import { GatewayError } from '../../model/errors.ts';
import type { TapTurnState } from '../../model/model-tap.ts';
import { mapCascadeError } from '../../translate/cascade/map-cascade-error.ts';
import type { TurnFailure } from '../../translate/cascade/turn-progress.ts';
import type { AgentServer } from './agent-server.ts';

export interface FailedTurn {
  readonly backendName: string;
  readonly server: Pick<AgentServer, 'cleanText'>;
  /** What the tap saw of the turn; null: no main call, or there is no tap. */
  readonly model: TapTurnState | null;
  /** Null: there is none. */
  readonly tapName: string | null;
}

/** A turn that went wrong → the error of its response. */
export function toTurnError(failure: TurnFailure, { backendName, server, model, tapName }: FailedTurn): GatewayError {
  const agent = `The agent of the backend ${backendName}`;
  switch (failure.type) {
    case 'empty':
      return new GatewayError('upstream_error', `${agent} ended its turn without a text or a call.`);
    case 'cut':
      return new GatewayError('upstream_truncated', `${agent} lost the model's answer before its end.${hintOf(model, tapName)}`);
    case 'permission':
      return new GatewayError(
        'upstream_error',
        `${agent} asked for permission to use one of its own tools, or asked a question. This gateway never allows or answers that, so the turn was cancelled. ` +
          'With `own_tools: drop` the agent has no tools.',
        { isFinal: true },
      );
    case 'model':
      return model?.failure ?? new GatewayError('upstream_error', `A model call of the backend ${backendName} failed.`);
    case 'step':
      return toStepError(server.cleanText(failure.text), backendName);
  }
}

/** An agent whose calls the tap refuses does not say so. */
function hintOf(model: TapTurnState | null, tapName: string | null): string {
  if (tapName === null || model !== null) return '';
  return ` No model call of this turn came through the tap ${tapName}: if the agent server does use it, the gateway's log says whom it refused (credential, host, certificate).`;
}

/** The agent's words mean what the same words of a refused call mean: a quota, a rate … */
function toStepError(text: string | null, backendName: string): GatewayError {
  const failure = { status: null, code: 'unknown', text, retryAfter: null };
  return mapCascadeError(failure, { backendName, method: 'its turn', hasCsrfToken: true, hasToken: true });
}

/** Nothing of this turn's model calls was seen, and what was asked for exists only there. */
export function notTapped(backendName: string, tapName: string): GatewayError {
  return new GatewayError(
    'upstream_error',
    `The model calls of the agent server of the backend ${backendName} do not go through the tap ${tapName}, or its build spoils the mark of the turn in the prompt. ` +
      'Function tools and their outputs need the tap. Check that the agent server uses the tap as its model address or as its HTTPS proxy.',
    { isFinal: true },
  );
}
