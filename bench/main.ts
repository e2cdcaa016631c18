/**
 * `npm run bench`: what the gateway costs beside a bare proxy and beside a translator without features, in one run, each as a process of its own.
 *   --quick             a short look instead of a result
 *   --profile           where Antiphon's time goes, instead of the table
 *   --without-antiphon  the bare proxy and the floor translator only
 *   --only tap          what the tap adds to each event, and an agent server's turn against Gemini itself; nothing else
 *   --only native       streams that pass on the model server's own bytes, beside the bare proxy; nothing else
 *   --pause N           milliseconds between two socket writes of one upstream stream (default 5; 0: as fast as they go)
 */
import { mkdirSync, writeFileSync } from 'node:fs';
import { cpus, loadavg } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { buildAntiphon } from './antiphon.ts';
import { judgeTargets, type Results } from './judge-targets.ts';
import { measureIdle } from './measure-idle.ts';
import { measureStart } from './measure-start.ts';
import { measureTap } from './measure-tap.ts';
import { measureTraffic } from './measure-traffic.ts';
import { openBench, WrongAnswer, type Bench } from './open-bench.ts';
import { formatReport, formatStreams } from './print-report.ts';
import { formatTapReport } from './print-tap-report.ts';
import { profileAntiphon } from './profile-antiphon.ts';
import { isAboutPassing } from './scenarios.ts';

async function measureAll(bench: Bench): Promise<void> {
  const results: Results = {
    traffic: await measureTraffic(bench),
    start: await measureStart(bench),
    idle: await measureIdle(bench),
  };
  const targets = judgeTargets(results);
  const tap = bench.options.subjects.includes('antiphon') ? await measureTap(bench.options) : null;
  const machine = { node: process.version, processor: cpus()[0]?.model ?? '', cores: cpus().length, load: loadavg() };
  const folder = join(import.meta.dirname, 'results');
  mkdirSync(folder, { recursive: true });
  const record = { at: new Date().toISOString(), machine, options: bench.options, ...results, tap, targets };
  writeFileSync(join(folder, 'latest.json'), `${JSON.stringify(record, null, 2)}\n`);
  const { node, cores, load } = machine;
  console.log(
    `Node ${node}, ${cores} cores, load ${load[0]?.toFixed(1)}, upstream pause ${bench.options.pauseMilliseconds} ms\n`,
  );
  console.log(formatReport(results, targets));
  if (tap !== null) console.log(`\n${formatTapReport(tap)}`);
}

const { values } = parseArgs({
  options: {
    quick: { type: 'boolean', default: false },
    profile: { type: 'boolean', default: false },
    'without-antiphon': { type: 'boolean', default: false },
    only: { type: 'string' },
    pause: { type: 'string', default: '5' },
  },
});
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => process.exit(1));
if (process.platform !== 'linux') throw new Error('the bench reads CPU and memory of other processes from /proc and needs Linux');
if (values.only !== undefined && !['tap', 'native'].includes(values.only))
  throw new Error(`--only ${values.only}: there are only tap and native`);
if (!values['without-antiphon']) buildAntiphon();
const bench = await openBench({
  subjects: values['without-antiphon'] ? ['bare', 'floor'] : ['bare', 'floor', 'antiphon'],
  isQuick: values.quick,
  pauseMilliseconds: Number(values.pause),
});
try {
  if (values.only === 'tap') console.log(formatTapReport(await measureTap(bench.options)));
  else if (values.only === 'native') console.log(formatStreams(await measureTraffic(bench, isAboutPassing)));
  else if (values.profile) console.log(await profileAntiphon(bench));
  else await measureAll(bench);
} catch (thrown) {
  if (!(thrown instanceof WrongAnswer)) throw thrown;
  console.error(`WRONG ANSWER ${thrown.message}`);
  process.exitCode = 1;
} finally {
  await bench.close();
}
