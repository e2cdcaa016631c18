import fc from 'fast-check';
import { expect, test } from 'vitest';
import { readTrajectory } from './read-trajectory.ts';

test('all of it', () => {
  const trajectory = { trajectoryId: 't1', steps: [{}], generatorMetadata: [{ chatModel: {} }] };
  expect(readTrajectory({ status: 'CASCADE_RUN_STATUS_BUSY', numTotalSteps: '7', trajectory })).toEqual({
    status: 'BUSY',
    totalSteps: 7,
    listedSteps: 1,
    trajectoryId: 't1',
    generatorMetadata: [{ chatModel: {} }],
  });
});

test('nothing of it: zero values are left out', () => {
  expect(readTrajectory({})).toEqual({
    status: 'UNSPECIFIED',
    totalSteps: 0,
    listedSteps: 0,
    trajectoryId: null,
    generatorMetadata: [],
  });
});

test.each([
  [1, 'IDLE'],
  ['RUNNING', 'RUNNING'],
  ['CASCADE_RUN_STATUS_CANCELING', 'CANCELING'],
  ['CASCADE_RUN_STATUS_ERROR', 'ERROR'],
  ['CASCADE_RUN_STATUS_INACTIVE', 'INACTIVE'],
  ['CASCADE_RUN_STATUS_NEWER', 'UNKNOWN'],
  [99, 'UNKNOWN'],
])('status %j is %s', (status, name) => {
  expect(readTrajectory({ status }).status).toBe(name);
});

test('more steps than the count says are counted; no count is none', () => {
  const trajectory = { steps: [{}, null, {}] };
  expect(readTrajectory({ numTotalSteps: 1, trajectory })).toMatchObject({ totalSteps: 3, listedSteps: 3 });
  expect(readTrajectory({ trajectory })).toMatchObject({ totalSteps: 0, listedSteps: 3 });
});

test('whatever comes, nothing throws', () => {
  fc.assert(
    fc.property(fc.jsonValue(), fc.jsonValue(), (answer, trajectory) => {
      expect(readTrajectory(answer).totalSteps).toBeGreaterThanOrEqual(0);
      expect(readTrajectory({ trajectory }).generatorMetadata).toBeInstanceOf(Array);
    }),
  );
});
