import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { isActiveStep, isCutStep, isDeadStep, readStep } from './read-step.ts';

describe('a step', () => {
  test('is told by name, by bare name, by number, and without any by its payload', () => {
    for (const type of ['CORTEX_STEP_TYPE_PLANNER_RESPONSE', 'PLANNER_RESPONSE', 15, undefined])
      expect(readStep({ type, status: 3, plannerResponse: { response: 'Hi' } })).toMatchObject({
        kind: 'answer',
        status: 'DONE',
        text: 'Hi',
      });
    expect(readStep({ notifyUser: { notificationContent: 'Hi' } })).toMatchObject({
      kind: 'notice',
      text: 'Hi',
      status: 'UNSPECIFIED',
    });
    expect(readStep({ type: 'CORTEX_STEP_TYPE_NEW_THING', metadata: { toolCall: { name: 'x' } } })).toMatchObject({
      kind: 'tool',
    });
    expect(readStep({ type: 'CORTEX_STEP_TYPE_NEW_THING' })).toMatchObject({ kind: 'other', text: '' });
  });

  test('shows the modified text before the other one', () => {
    expect(readStep({ type: 15, plannerResponse: { response: 'a', modifiedResponse: 'b' } })?.text).toBe('b');
    expect(readStep({ type: 15, plannerResponse: { response: 'a', modifiedResponse: '' } })?.text).toBe('a');
  });

  test('has a stop reason, a signature and calls', () => {
    const plannerResponse = {
      stopReason: 'STOP_REASON_CLIENT_STREAM_ERROR',
      thinkingSignature: 'c2ln',
      toolCalls: [{ name: 'x', argumentsJson: '' }],
    };
    const step = readStep({
      type: 15,
      status: 'CORTEX_STEP_STATUS_DONE',
      plannerResponse,
      metadata: { generatorModel: 'MODEL_X' },
    });
    expect(step).toMatchObject({ stopReason: 'CLIENT_STREAM_ERROR', signature: 'c2ln', callsTools: true, model: 'MODEL_X' });
    expect(step && isCutStep(step)).toBe(true);
    expect(readStep({ type: 15, plannerResponse: { stopReason: 3 } })?.stopReason).toBe('MAX_TOKENS');
  });

  test('says of an error what is meant for users', () => {
    const error = { userErrorMessage: ' ', shortError: 'short', details: 'long' };
    expect(readStep({ type: 17, errorMessage: { error } })).toMatchObject({ kind: 'error', text: 'short' });
  });

  test('asks a person when it waits, or says so while it works', () => {
    expect(readStep({ type: 21, status: 9 })?.asksUser).toBe(true);
    expect(readStep({ type: 21, status: 2, requestedInteraction: { permission: {} } })?.asksUser).toBe(true);
    expect(readStep({ type: 21, status: 3, requestedInteraction: { permission: {} } })?.asksUser).toBe(false);
  });

  test('is active, dead or neither', () => {
    const look = (status: unknown) => readStep({ type: 15, status });
    for (const status of [1, 2, 8, 11, 'QUEUED']) expect(isActiveStep(look(status)!)).toBe(true);
    for (const status of [4, 5, 6, 7, 12, 'CORTEX_STEP_STATUS_CANCELED']) expect(isDeadStep(look(status)!)).toBe(true);
    for (const status of [undefined, 3, 9, 77]) expect(isActiveStep(look(status)!) || isDeadStep(look(status)!)).toBe(false);
  });
});

test('nothing a server sends makes it throw; what is no object is no step', () => {
  fc.assert(
    fc.property(fc.anything(), fc.anything(), (value, inner) => {
      readStep(value);
      readStep({
        type: inner,
        status: inner,
        metadata: value,
        plannerResponse: inner,
        errorMessage: { error: value },
        notifyUser: inner,
      });
    }),
  );
  expect([null, undefined, 'x', 3, []].map(readStep)).toEqual([null, null, null, null, null]);
});
