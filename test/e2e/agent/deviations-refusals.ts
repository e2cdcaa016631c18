import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { errorLine, postJson, sendHttp } from '../../doubles/send-http.ts';
import {
  deliveries,
  linesOf,
  lossesOf,
  model,
  disobedience,
  openDeviationBench,
  toolNamed,
  ways,
  type DeviationBench,
  type Way,
} from './deviation-bench.ts';

const weather = toolNamed('get_weather');
const time = toolNamed('get_time');
const tools = [weather, time];
const output = { type: 'function_call_output', call_id: 'call_1', output: '4C' };
const call = { type: 'function_call', call_id: 'call_1', name: 'get_weather', arguments: '{}' };

/** Bodies that are wrong, and the error they get: status, type, code, param. */
const wrong: readonly (readonly [body: unknown, line: string])[] = [
  ['{"model":', '400 invalid_request_error invalid_json null'],
  [[], '400 invalid_request_error invalid_type body'],
  [{ model }, '400 invalid_request_error missing_required_parameter input'],
  [{ model, input: [] }, '400 invalid_request_error empty_array input'],
  [{ model, input: 7 }, '400 invalid_request_error invalid_type input'],
  [{ model, input: 'Hi', temperature: 'warm' }, '400 invalid_request_error invalid_type temperature'],
  [{ model, input: 'Hi', temperature: 3 }, '400 invalid_request_error decimal_above_max_value temperature'],
  [{ model, input: 'Hi', max_output_tokens: 3 }, '400 invalid_request_error integer_below_min_value max_output_tokens'],
  [{ model, input: 'Hi', tools: [{ type: 'function' }] }, '400 invalid_request_error missing_required_parameter tools[0].name'],
  [{ model, input: 'Hi', tool_choice: 'sometimes' }, '400 invalid_request_error invalid_value tool_choice'],
  [{ model, input: 'Hi', metadata: { a: 'b'.repeat(513) } }, '400 invalid_request_error string_above_max_length metadata.a'],
  [{ model, input: [{ role: 'robot', content: 'Hi' }] }, '400 invalid_request_error invalid_value input[0].role'],
  [{ model, input: [output] }, '400 invalid_request_error null input'],
  [{ model, input: [{ role: 'user', content: 'Hi' }, call] }, '400 invalid_request_error null input'],
];

/** Protocol.md §2, items 21, 23 and 24: what is refused, and how. */
export function testRefusals(benchOf: (way: Way) => DeviationBench): void {
  test.each(wrong)('2.21 wrong types, ranges and lengths have an error of the protocol: %j', async (body, line) => {
    const { url, agent } = benchOf('with a tap');
    const before = agent.requests.length;
    expect(errorLine(await postJson(url, body))).toBe(line);
    expect(agent.requests.slice(before).filter((entry) => entry.type === 'rpc' && !entry.method.startsWith('Get'))).toEqual([]);
  });

  test.each(deliveries)(
    '2.21 input without a user’s text is input: outputs alone, an assistant’s words alone (stream %s, %s)',
    async (stream, way) => {
      const { ask } = benchOf(way);
      const asked = { role: 'user', content: '[[call get_weather {}]] [[then]] [[say Cold]]' };
      const answer = await ask({
        input: [
          { role: 'user', content: '[[say Yes]]' },
          { role: 'assistant', content: 'I said' },
        ],
        stream,
      });
      expect(answer.body.status).toBe('completed');
      if (way === 'with a tap') return;
      const outputs = await ask({ input: [asked, call, output], stream });
      expect(outputs.body.status).toBe('completed');
    },
  );

  test.each([true, false])(
    '2.23 tool_choice none: nothing is called, and the client’s tools are not offered (stream %s)',
    async (stream) => {
      const { ask, mainCallsOf } = benchOf('with a tap');
      const [main] = await mainCallsOf(async () => {
        const answer = await ask({ input: '[[call get_weather {}]]', tools, tool_choice: 'none', stream });
        expect(linesOf(answer)).toEqual(['message "(there is no function get_weather)"']);
      });
      expect(JSON.stringify(main?.body['tools'])).not.toContain('get_weather');
    },
  );

  test.each([true, false])(
    '2.23 tool_choice required: an answer without a call is asked again, then failed (stream %s)',
    async (stream) => {
      const { ask, mainCallsOf } = benchOf('with a tap');
      const calls = await mainCallsOf(async () => {
        const refused = await ask({ input: '[[say I would rather talk]]', tools, tool_choice: 'required', stream });
        expect(refused.body.error?.code).toBe('tool_choice_not_followed');
        expect([refused.status, stream]).toEqual(stream ? [200, true] : [502, false]);
      });
      expect(calls).toHaveLength(2);
      for (const { body } of calls) expect(JSON.stringify(body['toolConfig'])).toContain('"ANY"');
    },
  );

  test.each([
    ['a forced function', { type: 'function', name: 'get_time' }],
    ['allowed_tools', { type: 'allowed_tools', mode: 'required', tools: [{ type: 'function', name: 'get_time' }] }],
  ])('2.23 %s: calls outside the choice never reach the client, also of a model that disobeys', async (_name, choice) => {
    const { ask } = benchOf('with a tap');
    for (const stream of [true, false]) {
      const offered = await ask({ input: '[[call get_weather {}]] [[call get_time {}]]', tools, tool_choice: choice, stream });
      expect(linesOf(offered)).toEqual(['message "(there is no function get_weather)"', 'call get_time {}']);
      const answer = await ask({ input: disobedience, tools, tool_choice: choice, stream });
      expect(linesOf(answer)).toEqual(['call get_time {}']);
    }
  });

  test.each(ways)('2.23 tools of other types are reported, and refused where nothing may be lost, %s', async (way) => {
    const { ask } = benchOf(way);
    for (const tool of [
      { type: 'mcp', server_label: 'x', server_url: 'https://example.org' },
      { type: 'custom', name: 'sql' },
    ]) {
      const asked = { input: '[[say Without]]', tools: [tool] };
      const answer = await ask(asked);
      expect([answer.body.status, lossesOf(answer)]).toEqual(['completed', ['tools[0].type dropped']]);
      const strict = await ask(asked, { 'antiphon-strict': 'true' });
      expect(errorLine(strict)).toBe('400 invalid_request_error unsupported_value tools[0].type');
    }
  });

  test('2.23 without a tap function tools are reported, and refused where nothing may be lost', async () => {
    const { ask } = benchOf('without a tap');
    const asked = { input: '[[say Without]]', tools: [weather] };
    expect(lossesOf(await ask(asked))).toEqual(['tools[0] dropped']);
    expect((await ask(asked, { 'antiphon-strict': 'true' })).status).toBe(400);
  });

  test.each(deliveries)(
    '2.24 an unknown model: 400 model_not_found that lists what there is (stream %s, %s)',
    async (stream, way) => {
      const refused = await benchOf(way).ask({ model: 'agent/gemini-0', input: 'Hi', stream });
      expect(errorLine(refused)).toBe('400 invalid_request_error model_not_found model');
      expect(refused.body.error?.message).toContain(model);
    },
  );

  test.each(deliveries)(
    '2.24 an agent server that answers with an error: 502, and whether to retry (stream %s, %s)',
    async (stream, way) => {
      const { ask, setFault } = benchOf(way);
      setFault(({ method }) => (method === 'StartCascade' ? { code: 'internal', message: 'broken' } : undefined));
      const refused = await ask({ input: 'Hi', stream });
      expect(errorLine(refused)).toBe('502 server_error upstream_error null');
      expect(refused.headers.get('x-should-retry')).toMatch(/^(true|false)$/);
    },
  );

  describe('with keys', () => {
    let bench: DeviationBench;
    const keys = { alice: 'sk-alice-0123456789', bob: 'sk-bob-0123456789abc' };
    const bearer = (key: string): Record<string, string> => ({ authorization: `Bearer ${key}` });
    beforeAll(async () => {
      bench = await openDeviationBench('with a tap', {
        server: `keys: ["${keys.alice}", "${keys.bob}"], admin_key: "sk-admin-0123456789"`,
        backend: ', token: ""',
      });
    });
    afterAll(() => bench.close());

    test('2.24 no token for the agent server, and no key for the gateway, are 401 with codes of their own', async () => {
      const missing = await bench.ask({ input: 'Hi' }, bearer(keys.alice));
      expect(errorLine(missing)).toBe('401 invalid_request_error upstream_auth_missing null');
      expect(missing.body.error?.message).toMatch(/token_command[\s\S]*\/v1\/token|\/v1\/token[\s\S]*token_command/);
      const stranger = await bench.ask({ input: 'Hi' }, bearer('sk-stranger-0123456789'));
      expect(errorLine(stranger)).toBe('401 invalid_request_error invalid_api_key null');
    });

    test('2.20 a conversation belongs to its key; a client cannot set the agent server’s token', async () => {
      const headers = { 'content-type': 'application/json' };
      const body = JSON.stringify({ backend: 'agent', token: 'upstream-token' });
      const asClient = await sendHttp(bench.url, { path: '/v1/token', headers: { ...headers, ...bearer(keys.alice) }, body });
      expect(asClient.status).toBe(401);
      const asAdmin = await sendHttp(bench.url, {
        path: '/v1/token',
        headers: { ...headers, ...bearer('sk-admin-0123456789') },
        body,
      });
      expect(asAdmin.status).toBe(200);
      const conversation = 'shared name';
      const first = await bench.ask({ input: 'APPLE [[say One]]', conversation }, bearer(keys.alice));
      const calls = await bench.mainCallsOf(() => bench.ask({ input: '[[say Two]]', conversation }, bearer(keys.bob)));
      expect(calls.map(({ text }) => text.includes('APPLE'))).toEqual([false]);
      const stolen = await bench.ask({ input: 'Hi', previous_response_id: first.body.id }, bearer(keys.bob));
      expect(errorLine(stolen)).toBe('400 invalid_request_error previous_response_not_found previous_response_id');
    });
  });
}
