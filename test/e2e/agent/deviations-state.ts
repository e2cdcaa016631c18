import { expect, test } from 'vitest';
import { errorLine, sendHttp } from '../../doubles/send-http.ts';
import { callIdsOf, deliveries, linesOf, toolNamed, ways, type DeviationBench, type Way } from './deviation-bench.ts';

interface ListedItem {
  readonly type: string;
  readonly role?: string;
  readonly content?: readonly { readonly text: string }[];
}

/** Protocol.md §2, items 19, 20 and 22: what is kept, and whose it is. */
export function testState(benchOf: (way: Way) => DeviationBench): void {
  test.each(deliveries)('2.19 previous_response_id is resolved, and a branch is one (stream %s, %s)', async (stream, way) => {
    const { ask, mainCallsOf } = benchOf(way);
    const calls = await mainCallsOf(async () => {
      const first = await ask({ input: 'APPLE [[say One]]', stream });
      const second = await ask({ input: 'BANANA [[say Two]]', previous_response_id: first.body.id, stream });
      expect(second.body).toMatchObject({ previous_response_id: first.body.id });
      await ask({ input: 'CHERRY [[say Three]]', previous_response_id: first.body.id, stream });
    });
    const words = ['APPLE', 'BANANA', 'CHERRY'];
    const seen = calls.map(({ body }) => words.filter((word) => JSON.stringify(body).includes(word)).join(' '));
    expect(seen).toEqual(['APPLE', 'APPLE BANANA', 'APPLE CHERRY']);
  });

  test.each(deliveries)('2.19 an unknown id is refused before anything is sent (stream %s, %s)', async (stream, way) => {
    const { ask, agent } = benchOf(way);
    const before = agent.requests.length;
    const refused = await ask({ input: 'Hi', previous_response_id: 'resp_nobody_made', stream });
    expect(errorLine(refused)).toBe('400 invalid_request_error previous_response_not_found previous_response_id');
    expect(agent.requests.slice(before)).toEqual([]);
  });

  test.each(ways)('2.19 a response can be fetched, listed, and deleted; store false keeps nothing, %s', async (way) => {
    const { ask, url } = benchOf(way);
    const { body } = await ask({ input: '[[say One]]' });
    const path = `/v1/responses/${body.id}`;
    expect(JSON.parse((await sendHttp(url, { path })).text)).toEqual(body);
    const { data } = JSON.parse((await sendHttp(url, { path: `${path}/input_items` })).text) as { data: ListedItem[] };
    expect(data.map(({ role, content }) => [role, content?.map(({ text }) => text).join()])).toEqual([['user', '[[say One]]']]);
    const cancelled = await sendHttp(url, { path: `${path}/cancel`, method: 'POST' });
    expect(errorLine(cancelled)).toBe('400 invalid_request_error null null');
    const deleted = await sendHttp(url, { path, method: 'DELETE' });
    expect(JSON.parse(deleted.text)).toEqual({ id: body.id, object: 'response', deleted: true });
    expect((await sendHttp(url, { path })).status).toBe(404);
    const gone = await ask({ input: 'Hi', previous_response_id: body.id });
    expect(errorLine(gone)).toBe('400 invalid_request_error previous_response_not_found previous_response_id');
    const loose = await ask({ input: '[[say Two]]', store: false });
    expect(loose.body).toMatchObject({ store: false });
    expect((await sendHttp(url, { path: `/v1/responses/${loose.body.id}` })).status).toBe(404);
  });

  test.each(deliveries)('2.20 a conversation is echoed as {id}, and goes on (stream %s, %s)', async (stream, way) => {
    const { ask, mainCallsOf, url } = benchOf(way);
    const conversation = `talk ${way} ${String(stream)}`;
    const calls = await mainCallsOf(async () => {
      const first = await ask({ input: 'APPLE [[say One]]', conversation, stream });
      expect(first.body).toMatchObject({ conversation: { id: conversation } });
      await ask({ input: 'BANANA [[say Two]]', conversation: { id: conversation }, stream });
      expect((await ask({ input: '[[say Alone]]', stream })).body).not.toHaveProperty('conversation');
    });
    expect(calls.map(({ body }) => JSON.stringify(body).includes('APPLE'))).toEqual([true, true, false]);
    const { data } = JSON.parse((await sendHttp(url, { path: '/v1/sessions' })).text) as { data: { id: string }[] };
    expect(data.map(({ id }) => id)).toContain(conversation);
  });

  test.each(ways)('2.20 conversation and previous_response_id exclude each other, %s', async (way) => {
    const { ask } = benchOf(way);
    const { body } = await ask({ input: '[[say One]]' });
    const refused = await ask({ input: 'Hi', conversation: 'talk', previous_response_id: body.id });
    expect(errorLine(refused)).toBe('400 invalid_request_error mutually_exclusive_parameters previous_response_id');
  });

  test.each(ways)('2.22 clients at once get their own calls, words and counts, %s', async (way) => {
    const { ask, model } = benchOf(way);
    const clients = Array.from({ length: 8 }, (_, at) => at);
    const answers = Promise.all(
      clients.map((at) => {
        const own = `tool_${String(at)}`;
        const other = `tool_${String((at + 1) % clients.length)}`;
        const text = `canary-${String(at)} `.repeat(at + 1).trim();
        const calls = way === 'with a tap' ? `[[call ${own} {"canary":${String(at)}}]]` : '';
        const input = `[[hold]] [[say ${text}]] [[call ${other} {}]] ${calls}`;
        return ask({ input, stream: at % 2 === 0, tools: way === 'with a tap' ? [toolNamed(own)] : [] });
      }),
    );
    await model.until(() => model.held === clients.length);
    const calls = model.calls.filter(({ verb }) => verb === 'streamGenerateContent').slice(-clients.length);
    model.release();
    for (const [at, answer] of (await answers).entries()) {
      const text = `canary-${String(at)} `.repeat(at + 1).trim();
      const refused = `(there is no function tool_${String((at + 1) % clients.length)})`;
      expect(linesOf(answer)).toEqual([
        `message "${text}${refused}"`,
        ...(way === 'with a tap' ? [`call tool_${String(at)} {"canary":${String(at)}}`] : []),
      ]);
      const counted = calls.find(
        (call) => call.text.includes(`canary-${String(at)} `) || call.text.includes(`canary-${String(at)}]`),
      );
      const usage = counted?.chunks.at(-1)?.['usageMetadata'] as
        { promptTokenCount?: number; totalTokenCount?: number } | undefined;
      expect(answer.body.usage).toMatchObject({ input_tokens: usage?.promptTokenCount, total_tokens: usage?.totalTokenCount });
    }
  });

  test('2.22 tools, choice and results of a request do not outlive it, not even in its own conversation', async () => {
    const { ask, mainCallsOf } = benchOf('with a tap');
    const settings = { tools: [toolNamed('get_weather')], tool_choice: 'required' };
    const [first, second, third] = await mainCallsOf(async () => {
      const one = await ask({ ...settings, input: '[[call get_weather {}]]' });
      const output = { type: 'function_call_output', call_id: callIdsOf(one)[0], output: 'RESULT' };
      await ask({ input: [output, { role: 'user', content: '[[say Done]]' }], previous_response_id: one.body.id });
      await ask({ input: '[[say Else]]' });
    });
    expect(JSON.stringify(first?.body['tools'])).toContain('get_weather');
    for (const call of [second, third]) {
      expect(JSON.stringify(call?.body['tools'])).not.toContain('get_weather');
      expect(JSON.stringify(call?.body['toolConfig'])).not.toContain('ANY');
    }
    expect(second?.text).toContain('RESULT');
    expect(third?.text).not.toContain('RESULT');
  });
}
