/**
 * `npm run isolation`: ten thousand turns of 64 clients against a gateway process with a tap, in slices with other habits of the agent server each.
 *   --turns N   (default 10000)
 *   --slice N   turns of a slice (default 1000)
 *   --seed N    repeats a run as far as the machine lets it
 */
import { readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { parseArgs } from 'node:util';
import type { AgentQuirks } from '../doubles/agent-server/quirks.ts';
import { defaultQuirks } from '../doubles/agent-server/quirks.ts';
import { startAgentServer } from '../doubles/agent-server/start-agent-server.ts';
import { buildGateway } from '../doubles/gateway-process.ts';
import { startGeminiModel } from '../doubles/gemini-model/start-gemini-model.ts';
import { createModelWatch } from './model-watch.ts';
import { createKeys, runIsolation } from './run-isolation.ts';

/** One of them for each slice, in turns. Each tells its thinking late. */
const habits: readonly Partial<AgentQuirks>[] = [
  {},
  { template: 'markdown', whitespace: 'trim-lf' },
  { stateStream: 'unimplemented', reactiveStream: 'works', enums: 'numbers' },
  { template: 'bare', hidesThinking: true, pageSize: 3 },
  { stateStream: 'missing', sparseUpdates: false, nullSteps: true },
  { titleQuotes: false, checkpoint: false, splitFrames: true },
];

interface Usage {
  /** MiB */
  readonly rss: number;
  readonly sockets: number;
}

function readUsage(pid: number): Usage {
  const rss = Number(/^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${String(pid)}/status`, 'utf8'))?.[1]) / 1024;
  const names = readdirSync(`/proc/${String(pid)}/fd`);
  return { rss, sockets: names.filter((name) => isSocket(`/proc/${String(pid)}/fd/${name}`)).length };
}

/** A descriptor may be closed before it is looked at. */
function isSocket(path: string): boolean {
  try {
    return readlinkSync(path).startsWith('socket:');
  } catch {
    return false;
  }
}

const { values } = parseArgs({
  options: {
    turns: { type: 'string', default: '10000' },
    slice: { type: 'string', default: '1000' },
    seed: { type: 'string', default: String(Date.now() % 1_000_000) },
  },
});
const [wanted, slice, seed] = [Number(values.turns), Number(values.slice), Number(values.seed)];
const keys = createKeys(24);
const watch = createModelWatch();
const model = await startGeminiModel({ answer: watch.answer, keepsCalls: false });
const agent = await startAgentServer({ modelUrl: model.url, keepsLog: false });
const built = await buildGateway();
const gateway = await built.start(
  [
    `server: { keys: ${JSON.stringify(keys)} }`,
    'log: { level: warn }',
    `backends: { agent: { type: cascade, base_url: "${agent.url}", tap: wire } }`,
    `taps: { wire: { mode: reverse, listen: "127.0.0.1:0", upstream: "${model.url}" } }`,
  ].join('\n'),
);
agent.setModelWay({ modelUrl: await gateway.tapUrl() });
console.log(`isolation: 64 clients, ${String(keys.length)} keys, ${String(wanted)} turns, seed ${String(seed)}`);
let [turns, crossed, faulty] = [0, 0, 0];
for (let number = 0; turns < wanted; number++) {
  const quirks = habits[number % habits.length] ?? {};
  agent.setQuirks({ ...defaultQuirks, lateThinking: true, ...quirks });
  const begun = performance.now();
  const budget = Math.min(slice, wanted - turns);
  const report = await runIsolation({ url: gateway.url, keys, watch, clients: 64, turns: budget, seed: seed + number });
  turns += report.turns;
  crossed += report.crossed;
  faulty += report.faulty;
  for (const word of report.words.slice(0, 10)) console.log(`  ${word}`);
  const { rss, sockets } = readUsage(gateway.pid);
  const perSecond = report.turns / ((performance.now() - begun) / 1000);
  console.log(
    `  ${String(turns)} turns: ${String(crossed)} crossed, ${String(faulty)} failed; ${perSecond.toFixed(0)} turns/s; ` +
      `gateway ${rss.toFixed(0)} MiB, ${String(sockets)} sockets; ${JSON.stringify(quirks)}`,
  );
  if (faulty > 0 || crossed > 0) process.exitCode = 1;
}
console.log(
  `isolation: ${String(crossed)} crossed / ${String(turns)} turns (${String(watch.requests)} model requests, seed ${String(seed)})`,
);
if (model.violations.length > 0) {
  console.log(`violations at the model endpoint: ${JSON.stringify(model.violations.slice(0, 5))}`);
  process.exitCode = 1;
}
gateway.kill('SIGTERM');
await gateway.exit;
await agent.close();
await model.close();
await built.remove();
