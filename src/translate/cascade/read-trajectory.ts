import { readCount, readEnumSuffix, readList, readMessage, readText } from './read-proto.ts';

/** Members of `CascadeRunStatus` (backends.md A.2, 4); summaries know `ERROR` too. */
const runStatuses = { 0: 'UNSPECIFIED', 1: 'IDLE', 2: 'RUNNING', 3: 'CANCELING', 4: 'BUSY' } as const;
const knownStatuses = [...Object.values(runStatuses), 'ERROR'] as const;

/** An answer to GetCascadeTrajectory. `totalSteps` is at least the number of steps in the answer, which may be a first page only. */
export function readTrajectory(answer: unknown): {
  readonly status: (typeof knownStatuses)[number] | 'UNKNOWN';
  readonly totalSteps: number;
  readonly trajectoryId: string | null;
  readonly generatorMetadata: readonly unknown[];
} {
  const { status, numTotalSteps, trajectory } = readMessage(answer);
  const { trajectoryId, steps, generatorMetadata } = readMessage(trajectory);
  const name = readEnumSuffix(status, 'CASCADE_RUN_STATUS_', runStatuses);
  return {
    status: knownStatuses.find((known) => known === name) ?? 'UNKNOWN',
    totalSteps: Math.max(readCount(numTotalSteps), readList(steps).length),
    trajectoryId: readText(trajectoryId) || null,
    generatorMetadata: readList(generatorMetadata),
  };
}
