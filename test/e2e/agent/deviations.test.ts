import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { openDeviationBench, ways, type DeviationBench, type Way } from './deviation-bench.ts';
import { countDeviations } from './deviation-count.ts';
import { testEndings } from './deviations-endings.ts';
import { testInput } from './deviations-input.ts';
import { testRefusals } from './deviations-refusals.ts';
import { testResponseObject } from './deviations-response.ts';
import { testState } from './deviations-state.ts';
import { testStreaming } from './deviations-streaming.ts';

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
