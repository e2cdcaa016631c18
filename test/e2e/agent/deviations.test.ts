import { afterAll, afterEach, beforeAll } from 'vitest';
import { openDeviationBench, ways, type DeviationBench, type Way } from './deviation-bench.ts';
import { countDeviations } from './deviation-count.ts';
import { testEndings } from './deviations-endings.ts';
import { testInput } from './deviations-input.ts';
import { testRefusals } from './deviations-refusals.ts';
import { testResponseObject } from './deviations-response.ts';
import { testSeedIsSeen } from './deviations-seed.ts';
import { testState } from './deviations-state.ts';
import { testStreaming } from './deviations-streaming.ts';

/** Each of the 24 deviations of protocol.md §2, proved right; titles begin with its number. What backends.md A.6 and reliability.md §5 list besides are the same faults, seen from the wire. */
const benches = new Map<Way, DeviationBench>();

function benchOf(way: Way): DeviationBench {
  const bench = benches.get(way);
  if (bench === undefined) throw new Error(`no bench ${way}`);
  return bench;
}

beforeAll(async () => {
  await Promise.all(ways.map(async (way) => benches.set(way, await openDeviationBench(way))));
});
afterEach(() => {
  for (const bench of benches.values()) bench.reset();
});
afterAll(async ({}, suite) => {
  await Promise.all([...benches.values()].map((bench) => bench.close()));
  console.log(countDeviations(suite.tasks));
});

testStreaming(benchOf);
testEndings(benchOf);
testResponseObject(benchOf);
testInput(benchOf);
testState(benchOf);
testRefusals(benchOf);
testSeedIsSeen();
