/**
 * The client of the bench, as a process of its own. `main` sends it one job at a time over IPC; it keeps `concurrency` requests open until the time is over,
 * lets the last ones finish, and checks every answer.
 */
import { setMaxListeners } from 'node:events';
import { performance } from 'node:perf_hooks';
import { Agent, request } from 'undici';
import { checkAnswer, checkStreamClosely, type AnswerKind } from './check-answer.ts';

export interface Target {
  readonly url: string;
  readonly body: string;
}

export type ClientJob =
  | (Target & { readonly type: 'load'; readonly answer: AnswerKind; readonly concurrency: number; readonly milliseconds: number })
  /** Opens that many streams and keeps them. */
  | (Target & { readonly type: 'hold'; readonly count: number })
  | { readonly type: 'release' };

export interface ClientReport {
  readonly requests: number;
  readonly milliseconds: number;
  /** Milliseconds to the first byte of each body. */
  readonly firstBytes: readonly number[];
  /** The first wrong answer, in words. */
  readonly fault: string | null;
}

interface Answer {
  readonly status: number;
  readonly body: Buffer;
  readonly firstByte: number;
}

const holdWave = 50;
const headers = { 'content-type': 'application/json' };
let dispatcher = createDispatcher();
let held: AbortController | undefined;

function createDispatcher(): Agent {
  return new Agent({ pipelining: 1, bodyTimeout: 0, headersTimeout: 30_000, keepAliveTimeout: 60_000 });
}

async function ask({ url, body }: Target): Promise<Answer> {
  const start = performance.now();
  const answer = await request(url, { method: 'POST', headers, body, dispatcher });
  const pieces: Buffer[] = [];
  let firstByte = 0;
  for await (const piece of answer.body as AsyncIterable<Buffer>) {
    if (pieces.length === 0) firstByte = performance.now() - start;
    pieces.push(piece);
  }
  return { status: answer.statusCode, body: Buffer.concat(pieces), firstByte };
}

async function runLoad(job: Extract<ClientJob, { type: 'load' }>): Promise<ClientReport> {
  const start = performance.now();
  const firstBytes: number[] = [];
  let fault: string | null = null;

  function look({ status, body }: Answer): string | null {
    const isFirstStream = firstBytes.length === 0 && job.answer === 'responses-stream';
    return checkAnswer(job.answer, status, body) ?? (isFirstStream ? checkStreamClosely(body) : null);
  }

  async function askAgainAndAgain(): Promise<void> {
    while (fault === null && performance.now() - start < job.milliseconds) {
      const answer = await ask(job);
      fault ??= look(answer);
      firstBytes.push(answer.firstByte);
    }
  }

  const asked = await Promise.allSettled(Array.from({ length: job.concurrency }, askAgainAndAgain));
  const broken = asked.find((result) => result.status === 'rejected');
  if (broken) fault ??= String(broken.reason);
  return { requests: firstBytes.length, milliseconds: performance.now() - start, firstBytes, fault };
}

/** Resolves when the stream has brought its first piece of body; it stays open until `signal` aborts. */
async function holdOne(target: Target, signal: AbortSignal): Promise<void> {
  const answer = await request(target.url, { method: 'POST', headers, body: target.body, dispatcher, signal });
  if (answer.statusCode !== 200) throw new Error(`HTTP ${answer.statusCode}: ${(await answer.body.text()).slice(0, 300)}`);
  await new Promise<void>((resolve, reject) => {
    answer.body.once('data', () => {
      resolve();
    });
    answer.body.once('end', () => {
      reject(new Error('a stream that should stay open has ended'));
    });
    answer.body.on('error', reject);
  });
}

async function runHold({ count, ...target }: Extract<ClientJob, { type: 'hold' }>): Promise<ClientReport> {
  const start = performance.now();
  const { signal } = (held = new AbortController());
  setMaxListeners(count, signal);
  try {
    for (let open = 0; open < count; open += holdWave) {
      await Promise.all(Array.from({ length: Math.min(holdWave, count - open) }, () => holdOne(target, signal)));
    }
  } catch (thrown) {
    return { requests: 0, milliseconds: 0, firstBytes: [], fault: String(thrown) };
  }
  return { requests: count, milliseconds: performance.now() - start, firstBytes: [], fault: null };
}

async function runRelease(): Promise<ClientReport> {
  held?.abort();
  await dispatcher.destroy();
  dispatcher = createDispatcher();
  return { requests: 0, milliseconds: 0, firstBytes: [], fault: null };
}

function runJob(job: ClientJob): Promise<ClientReport> {
  if (job.type === 'load') return runLoad(job);
  return job.type === 'hold' ? runHold(job) : runRelease();
}

process.on('message', (job: ClientJob) => {
  void runJob(job).then((report) => process.send?.(report));
});
process.once('disconnect', () => process.exit());
process.send?.('ready');
