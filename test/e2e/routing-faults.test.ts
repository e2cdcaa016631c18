import { afterAll, expect, test } from 'vitest';
import { answerWith, deltaLine, streamLines, type ChatAnswer } from '../doubles/chat-upstream.ts';
import { say, startRoutes } from '../doubles/start-routes.ts';

interface Fault {
  /** What `a` answers, in order; null: nothing listens there. `b` always answers well. */
  readonly answers: readonly ChatAnswer[] | null;
  readonly route: string;
  /** Status of the answer, or the type of its terminal event. */
  readonly ends: string;
  readonly waits?: readonly number[];
}

const error = (code: string): object => ({ error: { message: 'no', code, type: code } });
const status = (number: number, headers: Record<string, string> = {}, code = 'x'): ChatAnswer =>
  answerWith(number, error(code), headers);
const hangUp: ChatAnswer = (response) => response.destroy();
const html: ChatAnswer = answerWith(200, '<!DOCTYPE html><html></html>', { 'content-type': 'text/html' });
const fromA = say('from a');

/** Alias `two: [a/m, b/m]` with one retry. */
const faults: Record<string, Fault> = {
  none: { answers: [fromA], route: 'a/m; attempts=1', ends: 'response.completed' },
  '429 once': {
    answers: [status(429), fromA],
    route: 'a/m; attempts=2; tried=a/m:429',
    ends: 'response.completed',
    waits: [125],
  },
  '429 twice': {
    ...{ answers: [status(429)], route: 'b/m; attempts=3; tried=a/m:429,a/m:429', ends: 'response.completed', waits: [125] },
  },
  '429 for 3 s': {
    ...{ answers: [status(429, { 'retry-after': '3' }), fromA], route: 'a/m; attempts=2; tried=a/m:429' },
    ...{ ends: 'response.completed', waits: [3_000] },
  },
  '429 for an hour': {
    ...{ answers: [status(429, { 'retry-after': '3600' })], route: 'b/m; attempts=2; tried=a/m:429', ends: 'response.completed' },
  },
  '429 in a 200': {
    ...{ answers: [answerWith(200, { error: { message: 'slow', code: 429 } }), fromA], route: 'a/m; attempts=2; tried=a/m:429' },
    ...{ ends: 'response.completed', waits: [125] },
  },
  '500': { answers: [status(500), fromA], route: 'a/m; attempts=2; tried=a/m:502', ends: 'response.completed', waits: [125] },
  '503': { answers: [status(503), fromA], route: 'a/m; attempts=2; tried=a/m:503', ends: 'response.completed', waits: [125] },
  refused: { answers: null, route: 'b/m; attempts=3; tried=a/m:502,a/m:502', ends: 'response.completed', waits: [125] },
  'hung up': { answers: [hangUp, fromA], route: 'a/m; attempts=2; tried=a/m:502', ends: 'response.completed', waits: [125] },
  html: { answers: [html], route: 'b/m; attempts=2; tried=a/m:502', ends: 'response.completed' },
  'our key': { answers: [status(401)], route: 'b/m; attempts=2; tried=a/m:502', ends: 'response.completed' },
  quota: { answers: [status(402)], route: 'b/m; attempts=2; tried=a/m:429', ends: 'response.completed' },
  'no such model': { answers: [status(404)], route: 'b/m; attempts=2; tried=a/m:400', ends: 'response.completed' },
  'gateway time-out': { answers: [status(504)], route: 'b/m; attempts=2; tried=a/m:504', ends: 'response.completed' },
  'wrong request': { answers: [status(400)], route: 'none; attempts=1; tried=a/m:400', ends: '400' },
  'too large': { answers: [status(413)], route: 'none; attempts=1; tried=a/m:413', ends: '413' },
  'too long': {
    ...{ answers: [status(400, {}, 'context_length_exceeded')], route: 'none; attempts=1; tried=a/m:400', ends: '400' },
  },
  'cut after a word': {
    answers: [streamLines(deltaLine({ content: 'Hel' }))],
    route: 'a/m; attempts=1',
    ends: 'response.failed',
  },
  'empty stream': { answers: [streamLines()], route: 'a/m; attempts=1', ends: 'response.failed' },
  'error in the stream': {
    ...{
      answers: [streamLines(`data: ${JSON.stringify(error('overloaded'))}`)],
      route: 'a/m; attempts=1',
      ends: 'response.failed',
    },
  },
};

function modelOf(response: object): unknown {
  return 'model' in response ? response.model : undefined;
}

let tried = 0;
let bad = 0;

async function findFaults({ answers, route, ends, waits = [] }: Fault): Promise<string[]> {
  const routes = await startRoutes({
    backends: { a: answers ?? [], b: [say('from b')] },
    yaml: 'models: { aliases: { two: [a/m, b/m] } }\nrouting: { retries: 1, retry_budget: 1, breaker: off }',
  });
  try {
    if (answers === null) await routes.upstream('a').close();
    const answer = await routes.ask('two');
    const ended = answer.events.at(-1)?.type ?? String(answer.status);
    const seen = { route: answer.headers.get('antiphon-route'), ends: ended, waits: routes.waits, b: routes.calls()['b'] };
    const wanted = { route, ends, waits, b: route.startsWith('b/') ? 1 : 0 };
    const differences =
      JSON.stringify(seen) === JSON.stringify(wanted) ? [] : [`${JSON.stringify(seen)} is not ${JSON.stringify(wanted)}`];
    // Whoever answered is named by everything that is left of the answer.
    const model = route.split(';')[0];
    if (answer.events.some((event) => event.response !== undefined && modelOf(event.response) !== model))
      differences.push('another model is named');
    return differences;
  } finally {
    await routes.close();
  }
}

test.each(Object.entries(faults))('%s', async (_name, fault) => {
  tried += 1;
  const found = await findFaults(fault);
  if (found.length > 0) bad += 1;
  expect(found).toEqual([]);
});

test('the check notices a wrong route', async () => {
  const found = await findFaults({ answers: [status(429)], route: 'a/m; attempts=1', ends: 'response.completed' });
  expect(found.length).toBeGreaterThan(0);
});

afterAll(() => {
  console.log(`routing faults: ${String(bad)} bad / ${String(tried)} tried`);
});
