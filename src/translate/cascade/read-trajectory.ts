import { readCount, readEnumSuffix, readList, readMessage, readText } from './read-proto.ts';

/** Members of `CascadeRunStatus` (backends.md A.2, 4); summaries know `ERROR` and `INACTIVE` too. */
const runStatuses = { 0: 'UNSPECIFIED', 1: 'IDLE', 2: 'RUNNING', 3: 'CANCELING', 4: 'BUSY' } as const;
const knownStatuses = [...Object.values(runStatuses), 'ERROR', 'INACTIVE'] as const;

/** An answer to GetCascadeTrajectory. `totalSteps`: how many steps there are, 0 when the server does not say; `listedSteps`: how many are in the answer, which may be a first page only. */
export function readTrajectory(answer: unknown): {
  readonly status: (typeof knownStatuses)[number] | 'UNKNOWN';
  readonly totalSteps: number;
  readonly listedSteps: number;
  readonly trajectoryId: string | null;
  readonly generatorMetadata: readonly unknown[];
} {
  const { status, numTotalSteps, trajectory } = readMessage(answer);
  const { trajectoryId, steps, generatorMetadata } = readMessage(trajectory);
  const name = readEnumSuffix(status, 'CASCADE_RUN_STATUS_', runStatuses);
  const listedSteps = readList(steps).length;
  const counted = readCount(numTotalSteps);
  return {
    status: knownStatuses.find((known) => known === name) ?? 'UNKNOWN',
    totalSteps: counted === 0 ? 0 : Math.max(counted, listedSteps),
    listedSteps,
    trajectoryId: readText(trajectoryId) || null,
    generatorMetadata: readList(generatorMetadata),
  };
}
