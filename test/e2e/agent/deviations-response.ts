import { expect, test } from 'vitest';
import type { GeminiCall } from '../../doubles/gemini-model/gemini-model-options.ts';
import { errorLine } from '../../doubles/send-http.ts';
import { callIdsOf, deliveries, linesOf, lossesOf, toolNamed, ways, type DeviationBench, type Way } from './deviation-bench.ts';
import { checkEcho, checkKeys } from './deviation-checks.ts';

const weather = toolNamed('get_weather');
const schema = { type: 'object', properties: { city: { type: 'string' } }, required: ['city'], additionalProperties: false };
const format = { type: 'json_schema', description: 'A city', name: 'city', schema, strict: true };
const settings = {
  ...{ tools: [weather], tool_choice: { type: 'function', name: 'get_weather' }, parallel_tool_calls: false },
  ...{ temperature: 0.25, top_p: 0.5, max_output_tokens: 4000, max_tool_calls: 3, metadata: { of: 'the test' }, store: true },
  ...{ instructions: 'Be brief.', reasoning: { effort: 'low', summary: 'auto' }, safety_identifier: 'user-1', user: 'u' },
  ...{ prompt_cache_key: 'k', text: { format, verbosity: 'low' }, presence_penalty: 0.5, frequency_penalty: 0.25 },
};
const generationOf = (call: GeminiCall | undefined): object => call?.body['generationConfig'] ?? {};

/** Protocol.md §2, items 11 to 14: the response object. */
export function testResponseObject(benchOf: (way: Way) => DeviationBench): void {
  test.each([true, false])('2.11 the response tells the settings in effect, not constants (stream %s)', async (stream) => {
    const { ask } = benchOf('with a tap');
    const { body, events } = await ask({ ...settings, input: '[[call get_weather {"city":"Oslo"}]]', stream });
    expect(checkEcho(body, settings)).toEqual([]);
    expect(body.status).toBe('completed');
    for (const { response } of events.slice(0, 2)) expect(checkEcho(response ?? {}, settings)).toEqual([]);
  });

  test.each(ways)('2.11 without settings the defaults are told, and truncation as it is done, %s', async (way) => {
    const { body } = await benchOf(way).ask({ input: '[[say Hi]]', truncation: 'auto' });
    const told = { tools: [], tool_choice: 'auto', parallel_tool_calls: true, truncation: 'disabled', instructions: null };
    const text = { format: { type: 'text' }, verbosity: 'medium' };
    expect(checkEcho(body, { ...told, text, reasoning: { effort: null, summary: null } })).toEqual([]);
  });

  test.each(deliveries)('2.11 status, error and incomplete_details say how it ended (stream %s, %s)', async (stream, way) => {
    const { ask } = benchOf(way);
    const cut = await ask({ input: '[[say As long as]] [[finish MAX_TOKENS]]', stream });
    expect([cut.body.status, cut.body.incomplete_details, cut.body.error]).toEqual([
      ...['incomplete', { reason: 'max_output_tokens' }, null],
    ]);
    const late = await ask({ input: '[[say Now]] [[hold]]', stream, timeout: 4 });
    expect([late.body.status, late.body.incomplete_details]).toEqual(['incomplete', { reason: 'timeout' }]);
    const failed = await ask({ input: '[[say Now]] [[error 503]]', stream });
    expect(failed.body.error).toMatchObject({ type: 'server_error' });
    if (stream) expect(failed.body.status).toBe('failed');
    else expect(failed.status).toBeGreaterThanOrEqual(500);
  });

  test.each(deliveries)(
    '2.12 2.13 every key of the protocol is there, and none of our own (stream %s, %s)',
    async (stream, way) => {
      const { ask, url } = benchOf(way);
      const { body, events } = await ask({ input: '[[think Hm]] [[say Hi]]', stream, reasoning: { summary: 'auto' } });
      expect(checkKeys(body)).toEqual([]);
      for (const { response } of events) if (response !== undefined) expect(checkKeys(response)).toEqual([]);
      const stored: unknown = await (await fetch(`${url}/v1/responses/${body.id}`)).json();
      expect(stored).toEqual(body);
    },
  );

  test.each(deliveries)('2.12 usage is what the model counted in the turn’s main calls (stream %s, %s)', async (stream, way) => {
    const { ask, mainCallsOf } = benchOf(way);
    let body: Awaited<ReturnType<typeof ask>>['body'] | undefined;
    const calls = await mainCallsOf(async () => {
      ({ body } = await ask({ input: '[[think Hm hm]] [[call list_notes {}]] [[then]] [[say Two notes.]]', stream }));
    });
    expect(calls).toHaveLength(2);
    const sum = (name: string): number =>
      calls.reduce((total, { chunks }) => total + ((chunks.at(-1)?.['usageMetadata'] as Record<string, number>)[name] ?? 0), 0);
    const output = sum('candidatesTokenCount') + sum('thoughtsTokenCount');
    expect(body?.usage).toEqual({
      input_tokens: sum('promptTokenCount'),
      input_tokens_details: { cached_tokens: sum('cachedContentTokenCount'), cache_write_tokens: 0 },
      output_tokens: output,
      output_tokens_details: { reasoning_tokens: sum('thoughtsTokenCount') },
      total_tokens: sum('totalTokenCount'),
    });
  });

  test.each([true, false])(
    '2.13 signatures travel sealed inside the reasoning item, and come back as they were (stream %s)',
    async (stream) => {
      const { ask, mainCallsOf, model } = benchOf('with a tap');
      const stateless = { store: false, include: ['reasoning.encrypted_content'], tools: [weather], stream };
      const user = { role: 'user', content: '[[call get_weather {"city":"Oslo"}]]' };
      const first = await ask({ ...stateless, input: [user] });
      const signature =
        /"thoughtSignature":"([^"]+)"/.exec(JSON.stringify(model.calls.map(({ chunks }) => chunks).slice(-3)))?.[1] ?? '';
      expect(signature).not.toBe('');
      expect(JSON.stringify(first.body)).not.toContain(signature);
      const output = { type: 'function_call_output', call_id: callIdsOf(first)[0], output: '4C' };
      const [call] = await mainCallsOf(() => ask({ ...stateless, input: [user, ...first.body.output, output] }));
      expect(JSON.stringify(call?.body['contents'])).toContain(`"thoughtSignature":"${signature}"`);
      const flipped = (sealed = ''): string => sealed.slice(0, -8) + (sealed.at(-8) === 'A' ? 'B' : 'A') + sealed.slice(-7);
      const altered = (first.body.output as readonly { encrypted_content?: string }[]).map((item) =>
        item.encrypted_content === undefined ? item : { ...item, encrypted_content: flipped(item.encrypted_content) },
      );
      const refused = await ask({ ...stateless, input: [user, ...altered, output] });
      expect(errorLine(refused)).toBe('400 invalid_request_error invalid_encrypted_content input[1].encrypted_content');
    },
  );

  test.each(ways)('2.13 timeout is a known extension: seconds, within limits, and no loss, %s', async (way) => {
    const { ask } = benchOf(way);
    const answer = await ask({ input: '[[say Hi]]', timeout: 30 });
    expect([answer.body.status, lossesOf(answer)]).toEqual(['completed', []]);
    expect(checkKeys(answer.body)).toEqual([]);
    const longest = await ask({ input: '[[say Hi]]', timeout: 1e9 });
    expect(lossesOf(longest)).toEqual(['timeout approximated']);
    for (const timeout of [0, -1, '30']) {
      const { status, body } = await ask({ input: 'Hi', timeout });
      expect([status, body.error]).toMatchObject([400, { param: 'timeout' }]);
    }
  });

  test('2.14 with a tap temperature, top_p and max_output_tokens reach the model', async () => {
    const { ask, mainCallsOf } = benchOf('with a tap');
    const asked = { temperature: 0.25, top_p: 0.5, max_output_tokens: 4000 };
    let answer: Awaited<ReturnType<typeof ask>> | undefined;
    const [call] = await mainCallsOf(async () => {
      answer = await ask({ ...asked, input: '[[say Hi]]' });
    });
    expect(generationOf(call)).toMatchObject({ temperature: 0.25, topP: 0.5, maxOutputTokens: 4000 });
    expect(checkEcho(answer?.body ?? {}, asked)).toEqual([]);
    const [plain] = await mainCallsOf(() => ask({ input: '[[say Hi]]' }));
    for (const key of ['temperature', 'topP', 'maxOutputTokens']) expect(generationOf(plain)).not.toHaveProperty(key);
  });

  test('2.14 without a tap max_output_tokens reaches the planner, and what cannot is reported or refused', async () => {
    const { ask, agent, mainCallsOf } = benchOf('without a tap');
    const asked = { temperature: 0.25, top_p: 0.5, max_output_tokens: 4000 };
    let losses: string[] = [];
    const [call] = await mainCallsOf(async () => {
      const answer = await ask({ ...asked, input: '[[say Hi]]' });
      losses = lossesOf(answer);
      expect(linesOf(answer)).toEqual(['message "Hi"']);
    });
    expect(losses).toEqual(['temperature dropped', 'top_p dropped']);
    expect(agent.bodiesOf('SendUserCascadeMessage').at(-1)).toMatchObject({
      cascadeConfig: { plannerConfig: { maxOutputTokens: 4000 } },
    });
    expect(generationOf(call)).toMatchObject({ maxOutputTokens: 4000 });
    const strict = await ask({ ...asked, input: '[[say Hi]]' }, { 'antiphon-strict': 'true' });
    expect([strict.status, strict.body.error]).toMatchObject([400, { code: 'unsupported_parameter', param: 'temperature' }]);
  });
}
