import { describe, expect, test } from 'vitest';
import { answerStep, growingStep, stepOf, userStep } from '../../../test/doubles/scripted-agent-server.ts';
import { GatewayError } from '../../model/errors.ts';
import type { TapTurnState } from '../../model/model-tap.ts';
import { readStep } from './read-step.ts';
import { createTurnProgress, type RunState, type TurnVerdict } from './turn-progress.ts';

interface Look {
  /** Milliseconds since the first look. */
  readonly at: number;
  readonly run?: RunState;
  readonly steps?: readonly unknown[];
  readonly model?: Partial<TapTurnState>;
}

const seen: TapTurnState = {
  ...{ mainCalls: 1, running: 0, runningSubRequests: 0, hasClientCalls: false, hasOutput: true },
  ...{ hasThinking: false, thinkingTokens: 0, finish: 'stop', failure: null },
};

function judge(...looks: readonly Look[]): readonly TurnVerdict[] {
  const progress = createTurnProgress();
  return looks.map(({ at, run = 'quiet', steps = [userStep], model }) =>
    progress.judge({ at, run, steps: steps.map(readStep), model: model === undefined ? null : { ...seen, ...model } }),
  );
}

/** The verdict after the last look; every one before it must be to go on. */
function outcome(...looks: readonly Look[]): TurnVerdict | undefined {
  const verdicts = judge(...looks);
  expect(verdicts.slice(0, -1).map(({ type }) => type)).toEqual(verdicts.slice(0, -1).map(() => 'go-on'));
  return verdicts.at(-1);
}

const done = { type: 'done', reason: 'stop', isIdle: true };
const failure = (type: string, text = '') => ({ type: 'failed', failure: { type, text } });
const waitingStep = stepOf('RUN_COMMAND', 'WAITING', { metadata: { sourceTrajectoryStepInfo: { trajectoryId: 't1' } } });
const callingStep = (text: string) => answerStep(text, { planner: { toolCalls: [{ id: 'c', name: 'run_command' }] } });

describe('a turn is done', () => {
  test('when the server is idle and the last answer is done', () => {
    expect(
      outcome({ at: 0, run: 'running', steps: [userStep, growingStep('Hi')] }, { at: 100, steps: [userStep, answerStep('Hi')] }),
    ).toEqual(done);
  });

  test('also when nobody saw it run; ignored steps change nothing', () => {
    expect(outcome({ at: 0, steps: [userStep, answerStep('Hi'), stepOf('CHECKPOINT', 'DONE'), null] })).toEqual(done);
  });

  test('not while the status says running, busy or cancelling, however done the steps look', () => {
    expect(
      outcome({ at: 0, run: 'running', steps: [answerStep('Hi')] }, { at: 60_000, run: 'running', steps: [answerStep('Hi')] }),
    ).toEqual({ type: 'go-on' });
  });

  test('not while its last answer calls tools, a tool came after it, or a step is active', () => {
    for (const steps of [
      [callingStep('Let me look')],
      [answerStep('Let me look', { planner: { stopReason: 'STOP_REASON_FUNCTION_CALL' } })],
      [answerStep('Let me look'), stepOf('VIEW_FILE', 'DONE')],
      [answerStep('Hi'), stepOf('RUN_COMMAND', 'RUNNING')],
      [growingStep('Hi')],
    ])
      expect(outcome({ at: 0, steps }, { at: 4_900, steps })).toEqual({ type: 'go-on' });
  });

  test('when its last answer has stood still for a second, where steps have no status', () => {
    const look = (plannerResponse: object, ...more: unknown[]): unknown[] => [userStep, { type: 15, plannerResponse }, ...more];
    const said = look({ response: 'Hi' });
    expect(outcome({ at: 0, steps: said }, { at: 900, steps: said }, { at: 1_000, steps: said })).toEqual(done);
    for (const steps of [
      look({ response: 'Let me look', toolCalls: [{ id: 'c', name: 'run_command' }] }),
      look({ response: 'Let me look' }, stepOf('VIEW_FILE', 'DONE')),
      look({ response: 'Let me look' }, stepOf('VIEW_FILE', 'RUNNING')),
      look({ thinking: 'Hm' }),
    ])
      expect(outcome({ at: 0, steps }, { at: 4_900, steps })).toEqual({ type: 'go-on' });
  });

  test('when it stands still for long and has said something, whatever else the steps show', () => {
    const steps = [answerStep('Hi'), stepOf('RUN_COMMAND', 'RUNNING')];
    expect(outcome({ at: 0, steps }, { at: 5_000, steps })).toEqual(done);
  });

  test('with words that a notice says', () => {
    const notice = stepOf('NOTIFY_USER', 'DONE', { notifyUser: { notificationContent: 'Ready' } });
    expect(outcome({ at: 0, steps: [callingStep(''), notice] })).toEqual(done);
  });

  test('for the reason the model gave, even without a word', () => {
    const limited = answerStep('', { planner: { stopReason: 'STOP_REASON_MAX_TOKENS' } });
    expect(outcome({ at: 0, steps: [limited] })).toEqual({ ...done, reason: 'length' });
    const filtered = answerStep('', { planner: { stopReason: 'STOP_REASON_SAFETY' } });
    expect(outcome({ at: 0, steps: [filtered] })).toEqual({ ...done, reason: 'content-filter' });
  });

  test('with a status nobody knows, only when nothing has moved for a while', () => {
    const steps = [answerStep('Hi')];
    expect(
      outcome({ at: 0, run: 'unknown', steps }, { at: 1_900, run: 'unknown', steps }, { at: 2_000, run: 'unknown', steps }),
    ).toEqual(done);
  });
});

describe('a turn that says nothing', () => {
  test('is not empty for a second or more before it starts', () => {
    expect(
      outcome(
        { at: 0, steps: [] },
        { at: 1_000, steps: [userStep] },
        { at: 4_000 },
        { at: 5_000, run: 'running' },
        { at: 8_000 },
      ),
    ).toEqual({ type: 'go-on' });
  });

  test('is empty after five quiet seconds, with or without an empty answer', () => {
    expect(outcome({ at: 0 }, { at: 5_000 })).toEqual(failure('empty'));
    const steps = [userStep, answerStep('')];
    expect(outcome({ at: 0, steps }, { at: 5_000, steps })).toEqual(failure('empty'));
  });
});

describe('what goes wrong', () => {
  const cut = answerStep('Half', { planner: { stopReason: 'STOP_REASON_CLIENT_STREAM_ERROR' } });
  const error = stepOf('ERROR_MESSAGE', 'DONE', {
    errorMessage: { error: { shortError: 'bad', userErrorMessage: 'Invalid tool call' } },
  });

  test('a cut answer fails after a grace, in which a new one may come', () => {
    expect(outcome({ at: 0, steps: [cut] }, { at: 1_900, steps: [cut] }, { at: 2_000, steps: [cut] })).toEqual(failure('cut'));
    expect(outcome({ at: 0, steps: [cut] }, { at: 1_900, steps: [cut, answerStep('Whole')] })).toEqual(done);
  });

  test('an answer that stands still half written is cut', () => {
    const steps = [growingStep('Half')];
    expect(outcome({ at: 0, steps }, { at: 5_000, steps })).toEqual(failure('cut'));
  });

  test('an error fails in the words for users, unless the agent corrects itself', () => {
    expect(outcome({ at: 0, steps: [answerStep('Hm'), error] }, { at: 1_000, steps: [answerStep('Hm'), error] })).toEqual(
      failure('step', 'Invalid tool call'),
    );
    expect(
      outcome(
        { at: 0, run: 'running', steps: [error] },
        { at: 900, steps: [error] },
        { at: 950, steps: [error, answerStep('Fine')] },
      ),
    ).toEqual(done);
  });
});

describe('an agent that asks for permission', () => {
  const asked = { type: 'asks', step: 1, trajectoryId: 't1' };

  test('is declined once, and fails when it keeps waiting', () => {
    const steps = [userStep, waitingStep];
    expect(judge({ at: 0, run: 'running', steps }, { at: 1_900, steps }, { at: 2_000, steps })).toEqual([
      asked,
      { type: 'go-on' },
      failure('permission'),
    ]);
  });

  test('may go on without it', () => {
    const refused = stepOf('RUN_COMMAND', 'CANCELED');
    expect(
      judge({ at: 0, steps: [userStep, waitingStep] }, { at: 500, steps: [userStep, refused, answerStep('Then not')] }),
    ).toEqual([asked, done]);
  });

  test('fails when it asks again, or says nothing after all', () => {
    expect(judge({ at: 0, steps: [userStep, waitingStep] }, { at: 100, steps: [userStep, userStep, waitingStep] })).toEqual([
      asked,
      failure('permission'),
    ]);
    const steps = [callingStep('May I?'), stepOf('RUN_COMMAND', 'CANCELED')];
    expect(judge({ at: 0, steps: [userStep, waitingStep] }, { at: 100, steps }, { at: 2_200, steps })).toEqual([
      asked,
      { type: 'go-on' },
      failure('permission'),
    ]);
  });
});

describe('with a tap', () => {
  const error = new GatewayError('rate_limit_exceeded', 'slow down');
  const steps = [userStep, answerStep('placeholder')];

  test("captured calls end the turn as soon as the agent is at rest, for the model's own reason", () => {
    const model = { hasClientCalls: true, hasOutput: true };
    expect(
      outcome(
        { at: 0, run: 'running', model },
        { at: 10, steps: [userStep, growingStep('p')], model },
        { at: 20, steps: [userStep], model },
      ),
    ).toEqual(done);
    expect(outcome({ at: 0, steps, model: { ...model, finish: 'length' } })).toEqual({ ...done, reason: 'length' });
  });

  test('captured calls do not wait for ever, nor for a question', () => {
    const model = { hasClientCalls: true };
    expect(
      outcome({ at: 0, run: 'running', model }, { at: 9_900, run: 'running', model }, { at: 10_000, run: 'running', model }),
    ).toEqual({ ...done, isIdle: false });
    expect(outcome({ at: 0, run: 'running', steps: [waitingStep], model })).toEqual({ ...done, isIdle: false });
  });

  test('a step that is never done keeps nobody waiting when the model has ended well', () => {
    const unfinished = [userStep, growingStep('p')];
    const captured = { hasClientCalls: true };
    const looks = [0, 900, 1_000].map((at) => ({ at, steps: unfinished, model: captured }));
    expect(outcome({ at: 0, run: 'running', steps: unfinished, model: captured }, ...looks)).toEqual(done);
    expect(outcome({ at: 0, steps: unfinished, model: {} }, { at: 5_000, steps: unfinished, model: {} })).toEqual(done);
    const broken = { finish: null };
    expect(outcome({ at: 0, steps: unfinished, model: broken }, { at: 5_000, steps: unfinished, model: broken })).toEqual(
      failure('cut'),
    );
  });

  test('a model call that failed or was cut fails the turn, unless a later one succeeds', () => {
    const failed = { failure: error, finish: null, hasOutput: false };
    expect(outcome({ at: 0, steps, model: failed }, { at: 1_000, steps, model: failed })).toEqual(failure('model', 'slow down'));
    expect(outcome({ at: 0, steps: [userStep], model: failed }, { at: 900, steps, model: {} })).toEqual(done);
    expect(outcome({ at: 0, steps, model: { ...failed, hasClientCalls: true } })).toEqual(failure('model', 'slow down'));
  });

  test('a model call that still runs keeps the turn open', () => {
    expect(outcome({ at: 0, steps, model: { running: 1 } }, { at: 20_000, steps, model: { running: 1 } })).toEqual({
      type: 'go-on',
    });
  });

  test('how the model ended is the end, also where the agent calls it an error', () => {
    const blocked = stepOf('ERROR_MESSAGE', 'ERROR', {
      errorMessage: { error: { userErrorMessage: 'The model stopped: SAFETY.' } },
    });
    const look = { at: 0, steps: [...steps, blocked], model: { finish: 'content-filter' as const } };
    expect(outcome(look)).toEqual({ ...done, reason: 'content-filter' });
  });

  test('what the model said counts, not what the agent shows', () => {
    const model = { hasOutput: false };
    expect(outcome({ at: 0, steps, model }, { at: 5_000, steps, model })).toEqual(failure('empty'));
    expect(outcome({ at: 0, steps, model: { ...model, finish: 'content-filter' } })).toEqual({
      ...done,
      reason: 'content-filter',
    });
  });
});
