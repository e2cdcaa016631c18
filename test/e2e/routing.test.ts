import { afterEach, describe, expect, test } from 'vitest';
import { answerWith, deltaLine, streamLines, type ChatAnswer } from '../doubles/chat-upstream.ts';
import type { StreamAnswer } from '../doubles/post-response.ts';
import { say, startRoutes, type Routes, type RoutesOptions } from '../doubles/start-routes.ts';

const ill = answerWith(503, { error: { message: 'ill', code: 'x' } });

const open: Routes[] = [];

afterEach(async () => {
  for (const routes of open.splice(0)) await routes.close();
});

async function start(options: RoutesOptions): Promise<Routes> {
  const routes = await startRoutes(options);
  open.push(routes);
  return routes;
}

function startThree(
  aliases: string,
  routing: string,
  answers: Readonly<Record<string, readonly ChatAnswer[]>> = {},
): Promise<Routes> {
  const backends = { a: [say('from a')], b: [say('from b')], c: [say('from c')], ...answers };
  return start({ backends, yaml: `models: { aliases: { ${aliases} } }\nrouting: { ${routing} }` });
}

function routeOf({ headers }: Pick<StreamAnswer, 'headers'>): string {
  return headers.get('antiphon-route') ?? '';
}

async function firstTargets(
  routes: Routes,
  times: number,
  more: object = {},
  headers: Record<string, string> = {},
): Promise<string[]> {
  const names: string[] = [];
  for (let at = 0; at < times; at += 1) names.push(routeOf(await routes.ask('pool', more, headers)).slice(0, 1));
  return names;
}

async function metric(routes: Routes, name: string, labels = ''): Promise<number> {
  const text = await (await fetch(`${routes.gateway.url}/metrics`)).text();
  const line = text.split('\n').find((candidate) => candidate.startsWith(`${name}{${labels}`));
  return Number(line?.split(' ').at(-1) ?? 0);
}

describe('equals', () => {
  test('are asked in turn', async () => {
    const routes = await startThree('pool: [[a/m, b/m, c/m]]', 'retries: 0');
    expect(await firstTargets(routes, 7)).toEqual(['a', 'b', 'c', 'a', 'b', 'c', 'a']);
  });

  test('take over from one another at once, before the next step', async () => {
    const routes = await startThree('pool: [[a/m, b/m], c/m]', 'retries: 2, breaker: off', { a: [ill] });
    expect(routeOf(await routes.ask('pool'))).toBe('b/m; attempts=2; tried=a/m:503');
    expect(routes.waits).toEqual([]);
    routes.script('b', ill);
    expect(routeOf(await routes.ask('pool'))).toBe('c/m; attempts=5; tried=b/m:503,a/m:503,b/m:503,a/m:503');
    expect(routes.waits).toEqual([125, 250]);
  });

  test.each<[string, object, Record<string, string>]>([
    ['prompt_cache_key', { prompt_cache_key: 'one' }, {}],
    ['metadata.user_id', { metadata: { user_id: 'one' } }, {}],
    ['x-session-affinity', {}, { 'x-session-affinity': 'one' }],
    ['x-session-id', {}, { 'x-session-id': 'one' }],
    ['session-id', {}, { 'session-id': 'one' }],
    ['thread-id', {}, { 'thread-id': 'one' }],
    ['x-claude-code-session-id', {}, { 'X-Claude-Code-Session-Id': 'one' }],
  ])('keep a session that is told by %s', async (_name, more, headers) => {
    const routes = await startThree('pool: [[a/m, b/m, c/m]]', 'retries: 0');
    const others = await firstTargets(routes, 1);
    const kept = await firstTargets(routes, 3, more, headers);
    expect([others, kept]).toEqual([['a'], ['b', 'b', 'b']]);
    expect(await firstTargets(routes, 1)).toEqual(['c']);
  });

  test('keep sessions apart, also those of two keys; lose them after a while; and follow them to whoever answered', async () => {
    const backends = { a: [say('x')], b: [say('x')] };
    const yaml = `server: { keys: [one, two] }\nmodels: { aliases: { pool: [[a/m, b/m]] } }\nrouting: { stickiness: 10m, breaker: off }`;
    const routes = await start({ backends, yaml });
    const as = (key: string, session: string): Promise<string[]> =>
      firstTargets(routes, 1, { prompt_cache_key: session }, { authorization: `Bearer ${key}` });
    expect([await as('one', 's'), await as('two', 's'), await as('one', 't'), await as('one', 's')].flat()).toEqual([
      'a',
      'b',
      'a',
      'a',
    ]);
    routes.script('a', ill);
    expect(await as('one', 's')).toEqual(['b']);
    routes.script('a', say('x'));
    routes.advance(599_999);
    expect(await as('one', 's')).toEqual(['b']);
    routes.advance(600_000);
    expect([await as('one', 's'), await as('two', 's')]).toEqual([['b'], ['a']]);
  });

  test('stickiness: off leaves them in turn', async () => {
    const routes = await startThree('pool: [[a/m, b/m]]', 'stickiness: off');
    expect(await firstTargets(routes, 3, { prompt_cache_key: 'one' })).toEqual(['a', 'b', 'a']);
  });
});

describe('conversations', () => {
  test.each([
    ['previous_response_id', (id: string) => ({ previous_response_id: id })],
    ['conversation', () => ({ conversation: 'talk' })],
  ])('%s goes to the model that made the previous response, wherever it stands', async (name, toMore) => {
    const routes = await startThree('smart: [a/m, [b/m, c/m]]', 'retries: 0', {
      a: [ill, say('from a')],
      b: [ill, say('from b')],
    });
    const first = await routes.ask('smart', name === 'conversation' ? { conversation: 'talk' } : {});
    expect([routeOf(first), first.body]).toMatchObject(['c/m; attempts=3; tried=a/m:503,b/m:503', { model: 'c/m' }]);
    const second = await routes.ask('smart', toMore(first.body.id));
    expect([routeOf(second), second.body]).toMatchObject(['c/m; attempts=1', { model: 'c/m' }]);
    expect(routeOf(await routes.ask('smart'))).toBe('a/m; attempts=1');
  });

  test('what is stored and replayed names the model that answered', async () => {
    const routes = await startThree('smart: [a/m, b/m]', 'retries: 0', { a: [ill] });
    const { body, events } = await routes.ask('smart');
    expect(events[0]?.response).toMatchObject({ model: 'b/m' });
    const url = `${routes.gateway.url}/v1/responses/${body.id}`;
    const stored = (await (await fetch(url)).json()) as { model: string };
    const replay = await (await fetch(`${url}?stream=true`)).text();
    expect([stored.model, replay.includes('"model":"b/m"'), replay.includes('a/m')]).toEqual(['b/m', true, false]);
    const models = (await (await fetch(`${routes.gateway.url}/v1/models`)).json()) as { data: { id: string }[] };
    expect(models.data.map(({ id }) => id)).toContain('smart');
  });
});

describe('circuit breaker', () => {
  test('opens, is passed over, lets one through, and closes', async () => {
    const routes = await startThree('smart: [a/m, b/m]', 'retries: 0, breaker: { failures: 2, window: 30s, cooldown: 15s }', {
      a: [ill],
    });
    const ask = async (): Promise<string> => routeOf(await routes.ask('smart'));
    const state = (): Promise<number> => metric(routes, 'antiphon_breaker_state', 'backend="a"');
    expect([await ask(), await state(), await ask(), await state()]).toEqual([
      ...['b/m; attempts=2; tried=a/m:503', 0],
      ...['b/m; attempts=2; tried=a/m:503', 2],
    ]);
    expect([await ask(), routes.calls()['a']]).toEqual(['b/m; attempts=1; tried=a/m:open', 2]);
    routes.advance(14_999);
    expect([await ask(), routes.calls()['a']]).toEqual(['b/m; attempts=1; tried=a/m:open', 2]);
    routes.advance(1);
    expect([await state(), await ask(), await state()]).toEqual([1, 'b/m; attempts=2; tried=a/m:503', 2]);
    routes.advance(15_000);
    routes.script('a', say('from a'));
    expect([await ask(), await state(), await ask()]).toEqual(['a/m; attempts=1', 0, 'a/m; attempts=1']);
  });

  test('where there is no other, the answer is 503 with the rest of the time', async () => {
    const routes = await startThree('', 'retries: 0, breaker: { failures: 1 }', { a: [ill] });
    await routes.ask('a/m');
    routes.advance(5_500);
    const answer = await routes.ask('a/m');
    expect([answer.status, answer.headers.get('retry-after'), answer.headers.get('x-should-retry'), routeOf(answer)]).toEqual([
      ...[503, '10', 'true', 'none; attempts=0; tried=a/m:open'],
    ]);
    expect(answer.body).toMatchObject({ error: { code: 'upstream_overloaded', type: 'server_error', param: null } });
    expect([routes.calls()['a'], routeOf(await routes.ask('b/m'))]).toEqual([1, 'b/m; attempts=1']);
  });

  test('a wrong request is no illness; off means never', async () => {
    const wrong = answerWith(400, { error: { message: 'wrong', code: 'x' } });
    const routes = await startThree('', 'retries: 0, breaker: { failures: 2 }', { a: [wrong] });
    for (let at = 0; at < 5; at += 1) expect((await routes.ask('a/m')).status).toBe(400);
    const without = await startThree('', 'retries: 0, breaker: off', { a: [ill] });
    for (let at = 0; at < 12; at += 1) expect((await without.ask('a/m')).status).toBe(503);
    expect(without.calls()['a']).toBe(12);
  });
});

describe('retries', () => {
  test('end when the budget of the backend is used up', async () => {
    const routes = await startThree('', 'retries: 1, retry_budget: 0.2, breaker: off', { a: [ill] });
    for (let at = 0; at < 10; at += 1) await routes.ask('a/m');
    // Five are always there, and one for five requests.
    expect([routes.calls()['a'], routes.waits.length]).toEqual([17, 7]);
    routes.advance(60_000);
    await routes.ask('a/m');
    expect(routes.calls()['a']).toBe(19);
    const none = await startThree('', 'retries: 3, retry_budget: 0', { a: [ill] });
    await none.ask('a/m');
    expect(none.calls()['a']).toBe(1);
  });

  test('at the last target a long Retry-After is handed to the client', async () => {
    const later = answerWith(429, { error: { message: 'later', code: 'x' } }, { 'retry-after': '77' });
    const gone = answerWith(404, { error: { message: 'who', code: 'x' } });
    const routes = await startThree('smart: [a/m, b/m, c/m]', 'retries: 2', { a: [gone], b: [later], c: [gone] });
    const answer = await routes.ask('smart');
    expect([answer.status, answer.headers.get('retry-after'), routeOf(answer), routes.waits]).toEqual([
      ...[429, '77', 'none; attempts=3; tried=a/m:400,b/m:429,c/m:400', []],
    ]);
  });

  test('a client that leaves during the wait ends it at once', async () => {
    let tellWaiting: () => void = () => undefined;
    const waiting = new Promise<void>((resolve) => (tellWaiting = resolve));
    const leaving = new AbortController();
    let tellEnded: () => void = () => undefined;
    const ended = new Promise<void>((resolve) => (tellEnded = resolve));
    const holdWait = (signal: AbortSignal): Promise<void> =>
      new Promise((_resolve, reject) => {
        signal.addEventListener('abort', () => {
          reject(new Error('broken off'));
          tellEnded();
        });
        tellWaiting();
      });
    const routes = await start({
      backends: { a: [ill], b: [say('x')] },
      yaml: 'models: { aliases: { smart: [a/m, b/m] } }',
      holdWait,
    });
    const answer = fetch(`${routes.gateway.url}/v1/responses`, {
      ...{ method: 'POST', headers: { 'content-type': 'application/json' }, signal: leaving.signal },
      body: JSON.stringify({ model: 'smart', input: 'Hello', stream: true }),
    });
    await waiting;
    leaving.abort();
    await expect(answer).rejects.toThrow();
    await ended;
    expect(routes.calls()).toEqual({ a: 1, b: 0 });
  });

  test("the request's own time ends the wait too", async () => {
    const holdWait = (signal: AbortSignal): Promise<void> =>
      new Promise((_resolve, reject) => {
        signal.addEventListener('abort', () => {
          reject(new Error('broken off'));
        });
      });
    const routes = await start({ backends: { a: [ill] }, yaml: '', holdWait });
    const answer = await routes.ask('a/m', { timeout: 0.2 });
    expect([answer.status, answer.headers.get('x-should-retry'), routeOf(answer)]).toEqual([
      ...[504, 'false', 'none; attempts=1; tried=a/m:503'],
    ]);
    expect(answer.body).toMatchObject({ error: { code: 'upstream_timeout' } });
  });

  test('what the rehearsal model acts is neither tried again nor counted, but can be fallen back from', async () => {
    const routes = await startThree('smart: [rehearsal/429, a/m]', 'breaker: { failures: 1 }');
    for (let at = 0; at < 3; at += 1) expect((await routes.ask('rehearsal/429')).status).toBe(429);
    expect([routeOf(await routes.ask('smart')), routes.waits]).toEqual(['a/m; attempts=2; tried=rehearsal/429:429', []]);
    expect(routeOf(await routes.ask('rehearsal/default'))).toBe('rehearsal/default; attempts=1');
  });
});

describe('translation', () => {
  const search = { tools: [{ type: 'web_search' }] };

  test('losses are those of the target that answered', async () => {
    const routes = await startThree('search: [a/m, rehearsal/citations]', 'retries: 0', { a: [say('x'), ill] });
    const lossy = await routes.ask('search', search);
    expect([routeOf(lossy), lossy.headers.get('antiphon-losses')]).toEqual([
      'a/m; attempts=1',
      expect.stringContaining('tools[0].type'),
    ]);
    const whole = await routes.ask('search', search);
    expect([routeOf(whole), whole.headers.get('antiphon-losses')]).toEqual([
      ...['rehearsal/citations; attempts=2; tried=a/m:503', null],
    ]);
  });

  test('strict mode passes a target over that would lose something, and refuses when all would', async () => {
    const routes = await startThree('search: [a/m, rehearsal/citations], none: [a/m, b/m]', 'retries: 0');
    const strict = { 'antiphon-strict': 'true' };
    expect(routeOf(await routes.ask('search', search, strict))).toBe('rehearsal/citations; attempts=1; tried=a/m:unfit');
    const refused = await routes.ask('none', search, strict);
    expect([refused.status, refused.body]).toMatchObject([400, { error: { param: 'tools[0].type' } }]);
    expect(routes.calls()).toEqual({ a: 0, b: 0, c: 0 });
  });

  test('a model that is not there is passed over, and seen', async () => {
    const routes = await startThree('smart: [nobody-has-it, a/m]', 'retries: 0', { a: [say('x')] });
    expect(routeOf(await routes.ask('smart'))).toBe('a/m; attempts=1; tried=nobody-has-it:missing');
  });

  test('a call that was accepted is never sent again, not even to another', async () => {
    const cut = streamLines(deltaLine({ content: 'Hel' }));
    const routes = await startThree('smart: [a/m, b/m]', '', { a: [cut] });
    const { events, body } = await routes.ask('smart');
    expect([events.at(-1)?.type, body, routes.calls()]).toMatchObject([
      'response.failed',
      { model: 'a/m' },
      { a: 1, b: 0, c: 0 },
    ]);
  });
});

test('everything can be counted', async () => {
  const routes = await startThree('smart: [a/m, b/m]', 'retries: 1, breaker: off', { a: [ill] });
  await routes.ask('smart');
  expect([
    await metric(routes, 'antiphon_upstream_attempts_total', 'backend="a",outcome="503"'),
    await metric(routes, 'antiphon_upstream_attempts_total', 'backend="b",outcome="accepted"'),
    await metric(routes, 'antiphon_upstream_retries_total', 'backend="a"'),
    await metric(routes, 'antiphon_fallbacks_total', 'backend="b"'),
    await metric(routes, 'antiphon_responses_total', 'model="b/m",outcome="completed"'),
  ]).toEqual([2, 1, 1, 1, 1]);
});

test('unstreamed answers carry the route too', async () => {
  const json = { choices: [{ index: 0, message: { role: 'assistant', content: 'Hi' }, finish_reason: 'stop' }] };
  const routes = await startThree('smart: [a/m, b/m]', 'retries: 0', { a: [ill], b: [answerWith(200, json)] });
  const answer = await routes.ask('smart', { stream: false });
  expect([answer.status, answer.body, routeOf(answer)]).toMatchObject([200, { model: 'b/m' }, 'b/m; attempts=2; tried=a/m:503']);
});
