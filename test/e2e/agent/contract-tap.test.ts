import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { wrapUserText } from '../../doubles/agent-server/agent-prompt.ts';
import { defaultQuirks, type AgentQuirks } from '../../doubles/agent-server/quirks.ts';
import { contentsOf, declarationsOf } from '../../doubles/gemini-model/gemini-words.ts';
import type { GeminiCall } from '../../doubles/gemini-model/gemini-model-options.ts';
import { startAgentGateway, type AgentGateway } from '../../doubles/start-agent-gateway.ts';
import { ask, callIdsOf, callsOf, hiddenForms, mainCallsOf, messagesOf, outputsFor } from './ask-agent.ts';
import { functionTool } from './scenario.ts';

const tools = [functionTool('get_weather'), functionTool('get_time')];
const modes = ['reverse', 'forward'] as const;
const benches = new Map<string, AgentGateway>();

function benchOf(mode: string): AgentGateway {
  const bench = benches.get(mode);
  if (bench === undefined) throw new Error(mode);
  return bench;
}

beforeAll(async () => {
  for (const mode of modes) {
    const agent = { notes: { a: 'x' } };
    benches.set(mode, await startAgentGateway({ mode, agent, model: { forbidden: hiddenForms } }));
  }
});
afterEach(() => {
  for (const { agent, model } of benches.values()) {
    agent.setQuirks(defaultQuirks);
    expect(model.violations).toEqual([]);
  }
});
afterAll(async () => {
  for (const bench of benches.values()) await bench.close();
});

/** The parts of a call's contents in short: `user:text model:call(get_weather) user:response(get_weather),text`. */
function shapeOf({ body }: GeminiCall): string {
  const words = contentsOf(body).map(({ role, parts }) => {
    const names = parts.map((part) => {
      const { functionCall: call, functionResponse: response } = part as Record<string, { name: string } | undefined>;
      if (call !== undefined) return `call(${call.name})${part['thoughtSignature'] === undefined ? '' : '!'}`;
      return response === undefined ? (Object.keys(part)[0] ?? '') : `response(${response.name})`;
    });
    return `${role}:${names.join()}`;
  });
  return words.join(' ');
}

const namesIn = ({ body }: GeminiCall): unknown[] => declarationsOf(body).map(({ name }) => name);

describe.each(modes)('through a %s tap', (mode) => {
  test('sub-requests have no tools and no marks, the title comes before the main call', async () => {
    const bench = benchOf(mode);
    const from = bench.model.calls.length;
    await ask(bench, { input: 'UNIQUE [[call get_weather {}]]', tools, stream: true });
    const calls = bench.model.calls.slice(from);
    expect(calls.map(({ verb }) => verb).slice(0, 2)).toEqual(['generateContent', 'streamGenerateContent']);
    for (const call of calls.filter(({ verb }) => verb === 'generateContent')) {
      expect(call.text).toContain('UNIQUE');
      expect(call.body['tools']).toBeUndefined();
      expect(call.body['toolConfig']).toBeUndefined();
    }
    expect(namesIn(calls[1] as GeminiCall)).toEqual(expect.arrayContaining(['get_weather', 'get_time', 'read_note']));
  });

  test('what sub-requests quote of an output has no call ids', async () => {
    const bench = benchOf(mode);
    bench.agent.setQuirks({ ...defaultQuirks, checkpoint: true, titleQuotes: true });
    const from = bench.model.calls.length;
    const asked = await ask(bench, { input: '[[call get_weather {}]]', tools, conversation: `ids ${mode}` });
    const outputs = outputsFor(asked.body, 'QUOTED');
    await ask(bench, { input: outputs, tools, conversation: `ids ${mode}` });
    await ask(bench, { input: [{ role: 'user', content: 'Hi' }, ...asked.body.output, ...outputs], tools });
    const subRequests = bench.model.calls.slice(from).filter(({ verb }) => verb === 'generateContent');
    const texts = subRequests.map(({ text }) => text);
    expect(texts.filter((text) => text.includes('QUOTED'))).not.toEqual([]);
    expect(texts.filter((text) => callIdsOf(asked.body).some((id) => text.includes(id)))).toEqual([]);
  });

  test('every exchange of the conversation is in every later call, signed, in order, responses first', async () => {
    const bench = benchOf(mode);
    const from = bench.model.calls.length;
    const ids: string[] = [];
    let last = await ask(bench, { input: '[[say A.]] [[call get_weather {"n":1}]] [[call get_time {"n":2}]]', tools });
    for (const input of [
      () => outputsFor(last.body, '{"ok":1}').toReversed(),
      () => '[[call get_time {"n":3}]] [[then]] [[call get_weather {"n":4}]]',
      () => outputsFor(last.body, 'plain'),
      () => outputsFor(last.body, '{"ok":4}'),
      () => '[[say Over.]]',
    ]) {
      ids.push(...callIdsOf(last.body));
      last = await ask(bench, { input: input(), tools, previous_response_id: last.body.id, stream: ids.length % 2 === 0 });
      expect(last.body.status).toBe('completed');
    }
    const final = mainCallsOf(bench, from).at(-1) as GeminiCall;
    expect(shapeOf(final)).toMatch(
      new RegExp(
        '^user:text model:text,call\\(get_weather\\)!,call\\(get_time\\) user:response\\(get_weather\\),response\\(get_time\\)(,text)? ' +
          'model:text(,text)? user:text model:call\\(get_time\\)! user:response\\(get_time\\)(,text)? ' +
          'model:call\\(get_weather\\)! user:response\\(get_weather\\)(,text)? model:text(,text)? user:text$',
      ),
    );
    expect([...final.text.matchAll(/"args":\{"n":(\d)\}/g)].map(([, n]) => n)).toEqual(['1', '2', '3', '4']);
    expect(new Set(ids).size).toBe(4);
    for (const id of ids) expect(final.text.split(`"id":"${id}"`)).toHaveLength(3);
  });

  test('a retry after a refusal is injected again, once, and counts once', async () => {
    const bench = benchOf(mode);
    for (const status of [429, 503]) {
      const from = bench.model.calls.length;
      const { body } = await ask(bench, { input: `[[status ${String(status)} 2]] [[call get_weather {}]]`, tools, stream: true });
      expect(callsOf(body)).toEqual(['get_weather {}']);
      const calls = mainCallsOf(bench, from);
      expect(calls.map((call) => call.status)).toEqual([status, status, 200]);
      for (const call of calls) expect(namesIn(call).filter((name) => name === 'get_weather')).toHaveLength(1);
      expect(new Set(calls.map(({ text }) => text)).size).toBe(1);
      const usage = calls.at(-1)?.chunks.at(-1)?.['usageMetadata'] as Record<string, number>;
      expect(body.usage?.input_tokens).toBe(usage['promptTokenCount']);
    }
  });

  test.each([undefined, { summary: 'auto' }])('late thinking is a later item (reasoning %j)', async (reasoning) => {
    const bench = benchOf(mode);
    bench.agent.setQuirks({ lateThinking: true, hidesThinking: true, thinkingDelayMs: 120 });
    for (const stream of [true, false]) {
      const input = '[[think-late Deep thoughts]] [[say Short answer]]';
      const { body } = await ask(bench, { input, stream, ...(reasoning !== undefined && { reasoning }) });
      const told = body.output.findIndex(({ summary }) => summary?.some(({ text }) => text === 'Deep thoughts'));
      expect(told).toBeGreaterThan(body.output.findIndex(({ type }) => type === 'message'));
      expect(messagesOf(body)).toEqual(['Short answer']);
      expect(body.usage?.output_tokens_details.reasoning_tokens).toBe(4);
    }
  });

  test('a client tool with a name that the agent has comes to the client', async () => {
    const bench = benchOf(mode);
    const asked = [functionTool('read_note')];
    const choice = { type: 'function', name: 'read_note' };
    const first = await ask(bench, { input: 'Use it', tools: asked, tool_choice: choice });
    expect(callsOf(first.body).map((call) => call.split(' ')[0])).toEqual(['read_note']);
    const input = [...outputsFor(first.body, 'mine'), { role: 'user', content: '[[say Good.]]' }];
    const next = await ask(bench, { input, tools: asked, previous_response_id: first.body.id });
    expect(messagesOf(next.body)).toEqual(['Good.']);
  });

  test.each([
    ['MAX_TOKENS', 'max_output_tokens'],
    ['SAFETY', 'content_filter'],
  ])('an answer that ends with %s is incomplete, as it is without an agent', async (finish, reason) => {
    const request = { input: `[[say Part]] [[finish ${finish}]]`, stream: true };
    for (const model of ['agent/gemini-3-pro', 'gemini/gemini-3-pro']) {
      const { body } = await ask(benchOf(mode), { ...request, model });
      expect([body.status, body.incomplete_details?.reason, messagesOf(body)]).toEqual(['incomplete', reason, ['Part']]);
    }
  });

  test.each(['[[say Part of it.]] [[cut]]', '[[say Part of it.]] [[error 503]]', '[[call get_weather {}]] [[cut]]'])(
    'an answer that breaks off is passed on as it is, and never completed: %s',
    async (input) => {
      const bench = benchOf(mode);
      for (const stream of [true, false]) {
        const calls = bench.agent.modelCalls.length;
        const { status, body } = await ask(bench, { input, tools, stream });
        expect([status < 500 && body.status, body.status === 'completed']).toEqual([stream && 'failed', false]);
        const seen = bench.agent.modelCalls.slice(calls).filter(({ purpose }) => purpose === 'main');
        expect(input.includes('cut') ? seen[0]?.outcome : JSON.stringify(seen[0]?.chunks.at(-1))).toMatch(/cut|503/);
      }
    },
  );
});

describe('what an agent server does to the text', () => {
  const text = '  First line\r\n\r\n   second\tline  \n[[call get_weather {"city":"Oslo"}]]';
  const treated = { keep: text, trim: text, lf: text.replaceAll('\r\n', '\n'), 'trim-lf': text.replaceAll('\r\n', '\n') };
  const kinds = ['keep', 'trim', 'lf', 'trim-lf'] as const;
  const variants = kinds.flatMap((whitespace) =>
    (['user-request', 'markdown', 'bare'] as const).map((template): Pick<AgentQuirks, 'whitespace' | 'template'> => ({
      whitespace,
      template,
    })),
  );

  test.each(variants)('is all that the model sees of it: %j', async (quirks) => {
    const bench = benchOf('reverse');
    bench.agent.setQuirks(quirks);
    const from = bench.model.calls.length;
    const first = await ask(bench, { input: text, tools });
    const next = await ask(bench, { input: outputsFor(first.body), tools, previous_response_id: first.body.id });
    expect(messagesOf(next.body)).toEqual(['get_weather returned {"result":"done"}.']);
    const whole = wrapUserText(treated[quirks.whitespace as 'keep'], { ...defaultQuirks, template: quirks.template }, 'NOW');
    for (const call of mainCallsOf(bench, from)) {
      const [said] = contentsOf(call.body)[0]?.parts ?? [];
      expect(String(said?.['text']).replace(/\d{4}-\d\d-\d\dT[\d:.]+Z/, 'NOW')).toBe(whole);
    }
  });

  test.each(['user-request', 'markdown', 'bare'] as const)(
    'when it mangles it, nothing leaks and nothing is lost in silence: %s',
    async (template) => {
      const bench = benchOf('reverse');
      bench.agent.setQuirks({ whitespace: 'mangle', template });
      for (const stream of [true, false]) {
        const answer = await ask(bench, { input: text, tools, stream });
        if (answer.body.status === 'completed') expect(callsOf(answer.body)).toEqual(['get_weather {"city":"Oslo"}']);
        else expect(answer.status >= 500 || answer.body.status === 'failed').toBe(true);
      }
    },
  );
});

test.each([true, false])(
  'an agent that asks again after a cut does not make the response a completed one (stream %s)',
  async (stream) => {
    const seen: number[] = [];
    const bench = await startAgentGateway({
      agent: { quirks: { retriesCut: true } },
      model: {
        answer: ({ verb, index }) => {
          if (verb !== 'streamGenerateContent' || seen.push(index) > 1) return undefined;
          const chunk = { candidates: [{ content: { role: 'model', parts: [{ text: 'Part ' }] } }] };
          return { chunks: [chunk, chunk], cutAfterBytes: JSON.stringify(chunk).length + 20 };
        },
      },
    });
    const { status, body } = await ask(bench, { input: '[[say Whole.]]', stream });
    expect(status >= 500 || body.status === 'failed').toBe(true);
    if (stream) expect(messagesOf(body)).toEqual(['Part ']);
    await bench.close();
  },
);

test('an id of a response is there only if the model gave one', async () => {
  const bench = await startAgentGateway({ model: { callIds: false, forbidden: hiddenForms } });
  const first = await ask(bench, { input: '[[call get_weather {"n":1}]] [[call get_weather {"n":2}]]', tools });
  const next = await ask(bench, { input: outputsFor(first.body), tools, previous_response_id: first.body.id });
  expect(next.body.status).toBe('completed');
  const [, call] = mainCallsOf(bench);
  expect(call?.text).toContain('functionResponse');
  expect(JSON.stringify(call?.body['contents'])).not.toContain('"id"');
  expect(bench.model.violations).toEqual([]);
  await bench.close();
});

test('tools that were asked for and calls that do not come through the tap: failed, with a message that says so', async () => {
  const other = await startAgentGateway({ mode: 'none' });
  const bench = await startAgentGateway({ agent: { modelUrl: other.model.url } });
  for (const stream of [true, false]) {
    const failed = await ask(bench, { input: '[[say Hello]]', tools, stream });
    expect(failed.status >= 500 || failed.body.status === 'failed').toBe(true);
    expect(JSON.stringify(failed.body)).toMatch(/do not go through the tap/);
    // Without anything that only the tap could do, the text is worth something.
    const plain = await ask(bench, { input: '[[say Hello]]', stream });
    expect([plain.body.status, messagesOf(plain.body)]).toEqual(['completed', ['Hello']]);
  }
  expect(bench.model.calls).toEqual([]);
  await bench.close();
  await other.close();
});
