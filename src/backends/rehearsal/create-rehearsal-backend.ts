import type { StatelessBackend, BackendTurn } from '../../model/backend.ts';
import type { Loss } from '../../model/loss.ts';
import type { ModelEvent } from '../../model/model-event.ts';
import type { ModelRequest } from '../../model/model-request.ts';
import { describeInput } from './describe-input.ts';
import { playScript } from './play-script.ts';
import { foreignThinking, remoteMedia } from './read-conversation.ts';
import { findRehearsalModel, rehearsalModelIds, type RehearsalModel } from './rehearsal-models.ts';
import { writeScript } from './write-script.ts';

export interface RehearsalBackendOptions {
  /** `rehearsal` unless configured otherwise. */
  readonly name?: string;
  /** A fresh id with that prefix. */
  readonly newId: (prefix: string) => string;
  readonly countTextTokens: (text: string) => Promise<number>;
  /** Resolves after so many milliseconds; rejects with the signal's reason when it aborts. */
  readonly wait: (milliseconds: number, signal: AbortSignal) => Promise<void>;
}

/**
 * The built-in stand-in for a model, used when nothing else is configured: the same request gets the same answer (but for ids), so that agents and the gateway can be
 * tried and tested without a network. `rehearsal-models.ts` lists what it can act out, `choose-calls.ts` says when it calls tools.
 */
export function createRehearsalBackend(options: RehearsalBackendOptions): StatelessBackend {
  function prepareTurn(request: ModelRequest): BackendTurn {
    const model = findRehearsalModel(request.model);
    return { losses: findLosses(request, model), stream: (signal) => streamTurn(request, model, options, signal) };
  }

  return {
    name: options.name ?? 'rehearsal',
    failures: 'on-purpose',
    prepareTurn,
    listModels: () => Promise.resolve(rehearsalModelIds().map((id) => ({ id, created: null, ownedBy: 'antiphon' }))),
    async countInputTokens(request) {
      findRehearsalModel(request.model);
      return options.countTextTokens(describeInput(request));
    },
    close: () => Promise.resolve(),
  };
}

async function* streamTurn(
  request: ModelRequest,
  model: RehearsalModel,
  options: RehearsalBackendOptions,
  signal: AbortSignal,
): AsyncGenerator<readonly ModelEvent[]> {
  signal.throwIfAborted();
  if (model.refusesWith !== undefined) throw model.refusesWith();
  yield [];
  const script = writeScript(request, model, options.newId);
  const { countTextTokens, wait } = options;
  const { maxOutputTokens } = request;
  const play = {
    countTextTokens,
    wait,
    input: describeInput(request),
    maxOutputTokens,
    pause: model.pause ?? 0,
    hidesUsage: model.hidesUsage === true,
  };
  yield* playScript(script, play, signal);
}

function findLosses(request: ModelRequest, model: RehearsalModel): Loss[] {
  const unserved = request.hostedTools.filter(({ type }) => model.insistsOn !== 'citations' || !type.startsWith('web_search'));
  return [
    ...unserved.map(({ type, path }): Loss => ({
      path: `${path}.type`,
      action: 'dropped',
      code: 'unsupported_value',
      reason: `the rehearsal model has no tool of type ${type}`,
    })),
    ...remoteMedia(request).map(({ path }): Loss => ({
      path,
      action: 'dropped',
      reason: 'the rehearsal model fetches nothing; send the content as a data URL',
    })),
    ...foreignThinking(request).map(({ path }): Loss => ({
      path,
      action: 'dropped',
      reason: 'the rehearsal model cannot read the thinking of another backend',
    })),
  ];
}
