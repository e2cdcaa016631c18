import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { contentsOf } from '../../doubles/gemini-model/gemini-words.ts';
import { startAgentGateway, type AgentGateway } from '../../doubles/start-agent-gateway.ts';
import { agentModel, ask, hiddenForms, mainCallsOf, messagesOf, openAnswer, outputsFor } from './ask-agent.ts';
import { functionTool } from './scenario.ts';

const tools = [functionTool('get_weather')];
const bothModels = [agentModel, 'gemini/gemini-3-pro'];

let bench: AgentGateway;
beforeAll(async () => {
  bench = await startAgentGateway({ model: { forbidden: hiddenForms.slice(1) } });
});
afterEach(() => {
  expect(bench.model.violations).toEqual([]);
});
afterAll(() => bench.close());

test('outputs may come without the tools they are of', async () => {
  for (const model of bothModels) {
    const first = await ask(bench, { model, input: '[[call get_weather {}]]', tools });
    const next = await ask(bench, { model, input: outputsFor(first.body), previous_response_id: first.body.id });
    expect(messagesOf(next.body)).toEqual(['get_weather returned {"result":"done"}.']);
  }
});

test.each([true, false])(
  'a demanded call that the model does not make ends as it does without an agent (stream %s)',
  async (stream) => {
    const answers = [];
    for (const model of bothModels)
      answers.push(await ask(bench, { model, input: '[[say I refuse]]', tools, tool_choice: 'required', stream }));
    const [agent, direct] = answers.map(({ status, body }) => [status, stream && messagesOf(body), body.status]);
    expect(agent).toEqual(direct);
  },
);

test('three turns at once in one conversation come one after the other', async () => {
  const from = bench.model.calls.length;
  const turns = [1, 2, 3].map((turn) => ask(bench, { input: `[[say Turn ${String(turn)}]]`, conversation: 'busy' }));
  expect((await Promise.all(turns)).map(({ body }) => messagesOf(body)[0])).toEqual(['Turn 1', 'Turn 2', 'Turn 3']);
  expect(
    mainCallsOf(bench, from)
      .map(({ body }) => contentsOf(body).length)
      .sort(),
  ).toEqual([1, 3, 5]);
});

test('words of a client that look like ours are the words of the client', async () => {
  const lookalike = `antiphon${'0123456789abcdefghijklmnopqrstuv'.repeat(2)}01234567`;
  const from = bench.model.calls.length;
  await ask(bench, { input: `antiphon ${lookalike} [[say Ok]]` });
  expect(mainCallsOf(bench, from)[0]?.text).toContain(`antiphon ${lookalike} `);
});

test('the settings of a request reach the model', async () => {
  const from = bench.model.calls.length;
  await ask(bench, { input: '[[say Ok]]', max_output_tokens: 100, temperature: 0.5, top_p: 0.25, reasoning: { effort: 'low' } });
  expect(mainCallsOf(bench, from)[0]?.body['generationConfig']).toMatchObject({
    ...{ maxOutputTokens: 100, temperature: 0.5, topP: 0.25 },
    thinkingConfig: { thinkingLevel: 'LOW' },
  });
});

test('an image without words, and a text of a megabyte', async () => {
  const image = { type: 'input_image', image_url: 'data:image/png;base64,iVBORw0KGgo=' };
  const words = 'word '.repeat(200_000);
  for (const input of [[{ role: 'user', content: [image] }], `${words}[[say Ok]]`]) {
    const from = bench.model.calls.length;
    expect((await ask(bench, { input, stream: true })).body.status).toBe('completed');
    expect(mainCallsOf(bench, from)[0]?.text.includes(input === `${words}[[say Ok]]` ? words : 'iVBORw0KGgo=')).toBe(true);
  }
});

test('an agent server that is stopped in mid-turn and comes back: failed, and the next turn is well', async () => {
  const own = await startAgentGateway();
  const first = await ask(own, { input: 'FIRST [[say One.]]' });
  const open = await openAnswer(own, { input: '[[say Part one.]] [[hold]]', previous_response_id: first.body.id });
  await open.until('Part one.');
  const comeBack = await own.agent.leave();
  await comeBack();
  expect((await open.rest()).last?.type).toBe('response.failed');
  const from = own.model.calls.length;
  const next = await ask(own, { input: '[[say Two.]]', previous_response_id: first.body.id });
  expect(messagesOf(next.body)).toEqual(['Two.']);
  expect(mainCallsOf(own, from)[0]?.text).toContain('FIRST');
  await own.close();
});
