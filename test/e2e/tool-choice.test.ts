import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { dialects, openModelUpstream, upstreamYaml, type ModelCall } from '../doubles/model-upstream.ts';
import { toEvents, toWhole, type Said } from '../doubles/model-wire.ts';
import { postResponse, type StreamAnswer } from '../doubles/post-response.ts';
import { eventStreamHead, httpAnswer, httpChunk, lastHttpChunk, type RawUpstream } from '../doubles/raw-upstream.ts';
import { errorLine } from '../doubles/send-http.ts';
import { startGateway, type StartedGateway } from '../doubles/start-gateway.ts';

const parameters = { type: 'object', properties: { city: { type: 'string' } }, required: ['city'], additionalProperties: false };
const tools = ['get_weather', 'get_time', 'get_news'].map((name) => ({ type: 'function', name, parameters, strict: true }));
const call = (name: string): Said => ({ call: name, pieces: ['{"city":"Oslo"}'] });
const text: Said = { text: 'Just words.' };

/** What a stubborn model says, whatever it is asked: by the model's name, `+` between the pieces. */
const pieces: Record<string, Said> = {
  text,
  weather: call('get_weather'),
  time: call('get_time'),
  invented: call('delete_all_files'),
};

const calls: ModelCall[] = [];
let upstream: RawUpstream;
let gateway: StartedGateway;
beforeAll(async () => {
  upstream = await openModelUpstream((one) => {
    calls.push(one);
    const { socket, dialect, stream, model } = one;
    const names = model.split('+');
    // Each call gets the index of its own.
    const said = names.flatMap((name, index): Said[] => (pieces[name] === undefined ? [] : [{ ...pieces[name], index }]));
    const all: Said[] = [...said, { finish: 'stop' }, { usage: [5, 5] }];
    if (!stream) socket.write(httpAnswer(toWhole(dialect, all)));
    else
      socket.write(
        Buffer.concat([Buffer.from(eventStreamHead), httpChunk(toEvents(dialect, all).join('')), Buffer.from(lastHttpChunk)]),
      );
  });
  gateway = await startGateway(upstreamYaml(upstream.url));
});
afterAll(async () => {
  await gateway.close();
  await upstream.close();
});

const choices = {
  none: 'none',
  auto: 'auto',
  required: 'required',
  weather: { type: 'function', name: 'get_weather' },
  allowed: { type: 'allowed_tools', mode: 'auto', tools: [{ type: 'function', name: 'get_time' }] },
  'allowed-required': {
    type: 'allowed_tools',
    mode: 'required',
    tools: [
      { type: 'function', name: 'get_time' },
      { type: 'function', name: 'get_news' },
    ],
  },
} as const;

/** The names the client may see called under a choice (null: whatever the model calls), and whether there must be one. */
const rules: Record<keyof typeof choices, { readonly names: readonly string[] | null; readonly isOwed: boolean }> = {
  none: { names: [], isOwed: false },
  auto: { names: null, isOwed: false },
  required: { names: null, isOwed: true },
  weather: { names: ['get_weather'], isOwed: true },
  allowed: { names: ['get_time'], isOwed: false },
  'allowed-required': { names: ['get_time', 'get_news'], isOwed: true },
};

const ask = (model: string, request: object): Promise<StreamAnswer> =>
  postResponse(gateway.url, { model, input: 'Weather and time in Oslo?', tools, ...request });

const calledIn = ({ body }: StreamAnswer): (string | undefined)[] =>
  body.output.filter(({ type }) => type === 'function_call').map(({ name }) => name);

/** What is wrong with an answer under a choice: also every event of the stream is looked at, since a client acts on them. */
function judge(answer: StreamAnswer, choice: keyof typeof choices): string[] {
  const { names, isOwed } = rules[choice];
  const added = answer.events.flatMap(({ type, item }) =>
    type === 'response.output_item.added' && item?.type === 'function_call' ? [item.name] : [],
  );
  const seen = [...(answer.body.error === null || answer.events.length > 0 ? calledIn(answer) : []), ...added];
  const outside = seen.filter((name) => names?.includes(name ?? '') === false);
  return [
    ...answer.faults,
    ...outside.map((name) => `called ${String(name)}`),
    ...(answer.body.error === null && isOwed && calledIn(answer).length === 0 ? ['no call, and no error'] : []),
  ];
}

describe.each(dialects)('%s: a model that does what it likes', (dialect) => {
  const models = ['text', 'weather', 'time', 'invented', 'text+weather', 'weather+time', 'invented+time', 'time+invented'];
  const cases = models.flatMap((model) => [false, true].map((stream) => ({ model, stream })));

  test.each(Object.keys(choices) as (keyof typeof choices)[])('tool_choice %s is true all the same', async (choice) => {
    const bad: string[] = [];
    for (const { model, stream } of cases) {
      const before = calls.length;
      const answer = await ask(`${dialect}/${model}`, { stream, tool_choice: choices[choice] });
      bad.push(...judge(answer, choice).map((fault) => `${model} ${String(stream)}: ${fault}`));
      // One call and at most one re-ask.
      expect(calls.length - before).toBeLessThanOrEqual(2);
      if (answer.body.error === null) continue;
      expect(answer.body.error.code).toBe('tool_choice_not_followed');
      if (!stream) expect(errorLine(answer)).toBe('502 server_error tool_choice_not_followed tool_choice');
    }
    expect(bad).toEqual([]);
  });

  test('parallel_tool_calls: false leaves one call', async () => {
    for (const stream of [false, true]) {
      const one = await ask(`${dialect}/weather+time`, { stream, parallel_tool_calls: false });
      expect(one.faults).toEqual([]);
      expect([one.body.status, calledIn(one)]).toEqual(['completed', ['get_weather']]);
      const two = await ask(`${dialect}/weather+time`, { stream });
      expect(calledIn(two)).toEqual(['get_weather', 'get_time']);
    }
  });

  test('a choice that cannot be kept is refused before anybody is asked', async () => {
    const before = calls.length;
    for (const [request, line] of [
      [{ tools: [], tool_choice: 'required' }, /^400 invalid_request_error \w+ tool_choice/],
      [{ tool_choice: { type: 'function', name: 'unknown' } }, /^400 invalid_request_error \w+ tool_choice/],
      [
        { tool_choice: { type: 'allowed_tools', mode: 'auto', tools: [{ type: 'function', name: 'unknown' }] } },
        /^400 invalid_request_error \w+ tool_choice/,
      ],
    ] as const)
      expect(errorLine(await ask(`${dialect}/text`, request))).toMatch(line);
    expect(calls).toHaveLength(before);
  });
});

describe('rehearsal', () => {
  test.each(['none', 'required', 'weather', 'allowed-required'] as const)(
    'one that disobeys once is asked again: %s',
    async (choice) => {
      for (const stream of [false, true]) {
        const answer = await ask('rehearsal/ignores-tool-choice', { stream, tool_choice: choices[choice] });
        expect(judge(answer, choice)).toEqual([]);
        expect(answer.body.status).toBe('completed');
        expect(answer.body.usage?.total_tokens).toBeGreaterThan(0);
      }
    },
  );

  test.each(['none', 'required', 'weather', 'allowed-required'] as const)(
    'one that never obeys fails with a clear code: %s',
    async (choice) => {
      const streamed = await ask('rehearsal/always-ignores-tool-choice', { stream: true, tool_choice: choices[choice] });
      expect(judge(streamed, choice)).toEqual([]);
      expect(streamed.body).toMatchObject({ status: 'failed', error: { code: 'tool_choice_not_followed' } });
      const waited = await ask('rehearsal/always-ignores-tool-choice', { stream: false, tool_choice: choices[choice] });
      expect(errorLine(waited)).toBe('502 server_error tool_choice_not_followed tool_choice');
      expect(waited.headers.get('x-should-retry')).toBe('false');
    },
  );
});
