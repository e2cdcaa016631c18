import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { LogResponse } from '../check-event-log/log-event.ts';
import { postResponse, readStream } from '../doubles/post-response.ts';
import { startGateway, type StartedGateway } from '../doubles/start-gateway.ts';
import { runSideBySide } from '../run-side-by-side.ts';
import { createConformanceCheck, type ConformanceCheck } from './conformance-check.ts';
import { knownExceptions, unknownEventTypes } from './known-exceptions.ts';
import { findSchema, loadOpenResponsesSchema, type OpenResponsesSchema } from './open-responses-schema.ts';
import { modelScenarios, refusedRequests, requestScenarios, weather, type Scenario } from './scenarios.ts';

interface Run {
  readonly scenario: Scenario;
  readonly stream: boolean;
}

describe.skipIf(!findSchema())('answers, held against the published Open Responses schema', () => {
  let gateway: StartedGateway;
  let schema: OpenResponsesSchema;

  beforeAll(async () => {
    gateway = await startGateway('store: { url: "memory:" }');
    schema = loadOpenResponsesSchema();
  });

  afterAll(() => gateway.close());

  test('every model and request, streamed and not, kept and replayed', { timeout: 120_000 }, async () => {
    const scenarios = [...modelScenarios(), ...requestScenarios()];
    const check = createConformanceCheck(schema);
    const runs = scenarios.flatMap((scenario) => [true, false].map((stream) => ({ scenario, stream })));
    const broken: string[] = [];
    await runSideBySide(runs, async (run) => {
      broken.push(...(await play(run, check)));
    });

    const { tried, exceptions, faults } = check;
    const bad = [...faults, ...broken];
    const counts = Object.entries(tried).map(([what, count]) => `${String(count)} ${what}`);
    console.log(
      `Open Responses schema: ${String(bad.length)} bad / tried ${counts.join(', ')} in ${String(runs.length)} requests`,
    );
    console.log(`exceptions, met on purpose: ${[...exceptions].map(([name, count]) => `${name} ${String(count)}`).join(', ')}`);
    expect(bad).toEqual([]);
    // An exception that nothing needs any more has to go.
    expect([...exceptions.keys()].sort()).toEqual([...Object.keys(knownExceptions), ...unknownEventTypes].sort());
    expect(tried.events).toBeGreaterThan(10_000);
  });

  /** One request; what came is checked, and once more as it is kept. */
  async function play({ scenario: { name, request, mayFail }, stream }: Run, check: ConformanceCheck): Promise<string[]> {
    const label = `${name}, ${stream ? 'streamed' : 'synced'}`;
    const answer = await postResponse(gateway.url, { ...request, stream });
    if (answer.status !== 200) {
      check.error(label, answer.body);
      return mayFail === true ? [] : [`${label}: ${String(answer.status)} ${JSON.stringify(answer.body)}`];
    }
    for (const event of answer.events) check.event(label, event);
    check.response(label, answer.body);
    const broken = answer.faults.map((fault) => `${label}: ${fault}`);
    if (!(answer.body as { store?: boolean }).store) return broken;
    return [...broken, ...(await readBack(label, answer.body, check))];
  }

  /** The kept response, its replay and its input items. */
  async function readBack(label: string, body: LogResponse, check: ConformanceCheck): Promise<string[]> {
    const read = async (path: string): Promise<string> => (await fetch(`${gateway.url}/v1/responses/${body.id}${path}`)).text();
    const kept = JSON.parse(await read('')) as object;
    check.response(`${label}, kept`, kept);
    const { events, faults } = readStream(await read('?stream=true'));
    for (const event of events) check.event(`${label}, replayed`, event);
    const { data } = JSON.parse(await read('/input_items')) as { data: object[] };
    for (const item of data) check.item(`${label}, input`, item);
    const same =
      JSON.stringify(kept) === JSON.stringify(body) && JSON.stringify(events.at(-1)?.response) === JSON.stringify(body);
    return [...faults.map((fault) => `${label}, replayed: ${fault}`), ...(same ? [] : [`${label}: kept in another form`])];
  }

  test('a chain of three turns, by reference and with a tool', async () => {
    const { faults, response, event } = createConformanceCheck(schema);
    const first = await postResponse(gateway.url, {
      input: 'Call get_weather for Oslo',
      tools: [weather],
      reasoning: { effort: 'low' },
    });
    const calls = first.body.output.filter(({ type }) => type === 'function_call');
    const input = calls.map(({ call_id }) => ({ type: 'function_call_output', call_id, output: 'minus 4' }));
    const second = await postResponse(gateway.url, { input, previous_response_id: first.body.id, stream: true });
    const third = await postResponse(gateway.url, {
      input: [
        ...first.body.output.map(({ id }) => ({ type: 'item_reference', id })),
        ...input,
        ...second.body.output,
        { role: 'user', content: 'And now?' },
      ],
    });
    expect(calls).toHaveLength(1);
    for (const [at, answer] of [first, second, third].entries()) {
      expect([answer.status, answer.faults]).toEqual([200, []]);
      response(`turn ${String(at)}`, answer.body);
      for (const one of answer.events) event(`turn ${String(at)}`, one);
    }
    expect(faults).toEqual([]);
  });

  test.each(refusedRequests)('$name is refused in the form of the schema', async ({ name, request }) => {
    const { error, faults } = createConformanceCheck(schema);
    for (const stream of [true, false]) {
      const body = Array.isArray(request) ? request : { ...request, stream };
      const answer = await postResponse(gateway.url, body);
      expect(answer.status).toBe(400);
      error(name, answer.body);
    }
    expect(faults).toEqual([]);
  });

  test('errors of every route have that form', async () => {
    const { error, faults, tried } = createConformanceCheck(schema);
    const requests: [string, string, object?][] = [
      ['GET', '/v1/responses/resp_nobody'],
      ['DELETE', '/v1/responses/resp_nobody'],
      ['POST', '/v1/responses/resp_nobody/cancel'],
      ['GET', '/v1/responses/resp_nobody/input_items?limit=0'],
      ['POST', '/v1/responses/input_tokens', { model: 7 }],
      ['GET', '/v1/models/nobody'],
      ['GET', '/v1/responses'],
      ['PUT', '/v1/responses', {}],
      ['GET', '/nowhere'],
    ];
    for (const [method, path, body] of requests) {
      const sent = body === undefined ? {} : { body: JSON.stringify(body), headers: { 'content-type': 'application/json' } };
      const answer = await fetch(gateway.url + path, { method, ...sent });
      expect(answer.status).toBeGreaterThanOrEqual(400);
      error(`${method} ${path}`, (await answer.json()) as object);
    }
    expect(faults).toEqual([]);
    expect(tried.errors).toBe(requests.length);
  });

  test('planted mistakes are seen', async () => {
    const { body, events } = await postResponse(gateway.url, {
      input: 'Call get_weather for Oslo',
      tools: [weather],
      reasoning: { effort: 'low', summary: 'auto' },
      stream: true,
    });
    const faultsOf = (run: (planted: ConformanceCheck) => void): number => {
      const planted = createConformanceCheck(schema);
      run(planted);
      return planted.faults.length;
    };
    // The document demands 31 keys; two of them have no type that null could break.
    const optional = ['metadata', 'moderation', 'prompt_cache_retention', 'user'];
    for (const key of Object.keys(body).filter((name) => !optional.includes(name))) {
      const without: Record<string, unknown> = { ...body };
      Reflect.deleteProperty(without, key);
      expect(
        faultsOf((planted) => {
          planted.response('planted', without);
        }),
        key,
      ).toBeGreaterThan(0);
    }
    for (const event of events) {
      expect(
        faultsOf((planted) => {
          planted.event('planted', event);
        }),
        event.type,
      ).toBe(0);
      for (const key of Object.keys(event).filter((name) => !['type', 'name', 'logprobs'].includes(name))) {
        const without = { ...event };
        Reflect.deleteProperty(without, key);
        expect(
          faultsOf((planted) => {
            planted.event('planted', without);
          }),
          `${event.type} ${key}`,
        ).toBeGreaterThan(0);
      }
    }
    expect(
      faultsOf((planted) => {
        planted.event('planted', { type: 'response.reasoning_text.delta' });
      }),
    ).toBe(1);
    expect(
      faultsOf((planted) => {
        planted.response('planted', { ...body, output: [{ type: 'acme:item', id: 'x' }] });
      }),
    ).toBeGreaterThan(0);
    expect(
      faultsOf((planted) => {
        planted.error('planted', { error: { type: 'x', code: null, message: 'y' } });
      }),
    ).toBe(1);
  });
});
