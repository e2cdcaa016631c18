import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { defaultQuirks } from '../../doubles/agent-server/quirks.ts';
import type { LoggedRpc, RpcFault } from '../../doubles/agent-server/agent-server-options.ts';
import { startAgentGateway, type AgentGateway } from '../../doubles/start-agent-gateway.ts';
import { ask, callsOf, errorCodeOf, errorTextOf, hiddenForms, mainCallsOf, messagesOf, outputsFor } from './ask-agent.ts';
import { functionTool } from './scenario.ts';

let bench: AgentGateway;
let fault: (method: string, count: number) => RpcFault | undefined = () => undefined;
beforeAll(async () => {
  bench = await startAgentGateway({
    agent: { onRpc: ({ method, count }) => fault(method, count), notes: { a: 'the milk is out' } },
    model: { forbidden: hiddenForms },
  });
});
afterEach(() => {
  bench.agent.setQuirks(defaultQuirks);
  fault = () => undefined;
  expect(bench.model.violations).toEqual([]);
});
afterAll(() => bench.close());

const tools = [functionTool('get_weather')];
const count = (method: string): number => bench.agent.bodiesOf(method).length;

async function getJson(path: string, method = 'GET'): Promise<{ status: number; body: { data?: Record<string, unknown>[] } }> {
  const answer = await fetch(`${bench.url}${path}`, { method });
  return { status: answer.status, body: (await answer.json()) as { data?: Record<string, unknown>[] } };
}

/** Methods of the calls since then that make a turn, in order. */
function methodsSince(start: number): string[] {
  const rpcs = bench.agent.requests.slice(start).filter((entry): entry is LoggedRpc => entry.type === 'rpc');
  return rpcs.map(({ method }) => method);
}

test('the models of the catalogue are listed as backend/modelId, without those that are switched off', async () => {
  const ids = (await getJson('/v1/models')).body.data?.map(({ id }) => id) ?? [];
  expect(ids).toEqual(expect.arrayContaining(['agent/gemini-3-pro', 'agent/gemini-3-flash']));
  expect(ids).not.toContain('agent/gemini-2.5-pro');
});

test.each([true, false])(
  'an unknown model is a 400 that names the models there are, and nothing is sent (stream %s)',
  async (stream) => {
    const started = count('StartCascade');
    const answer = await ask(bench, { model: 'agent/no-such', input: 'x', stream });
    expect(answer.status).toBe(400);
    expect(errorTextOf(answer)).toContain('gemini-3-pro');
    expect(errorTextOf(answer)).toContain('gemini-3-flash');
    expect(count('StartCascade')).toBe(started);
  },
);

test.each([
  ['agent/default', 'MODEL_PLACEHOLDER_M11'],
  ['agent/gemini-3-flash', 'MODEL_PLACEHOLDER_M12'],
  ['agent/Gemini 3 flash', 'MODEL_PLACEHOLDER_M12'],
  ['agent/MODEL_PLACEHOLDER_M12', 'MODEL_PLACEHOLDER_M12'],
])('%s is %s for the server, both ways of naming it', async (model, name) => {
  expect((await ask(bench, { model, input: '[[say Hi]]' })).body.status).toBe('completed');
  expect(bench.agent.bodiesOf('SendUserCascadeMessage').at(-1)?.['cascadeConfig']).toMatchObject({
    plannerConfig: { planModel: name, requestedModel: { model: name } },
  });
  expect(bench.agent.bodiesOf('StartCascade').at(-1)).toMatchObject({ requestedModel: name });
});

test('a turn subscribes before it sends, and annotates in between', async () => {
  const start = bench.agent.requests.length;
  await ask(bench, { input: '[[say Hi]]' });
  const methods = methodsSince(start);
  const at = ['StartCascade', 'UpdateConversationAnnotations', 'SendUserCascadeMessage'].map((name) => methods.indexOf(name));
  expect(at).toEqual([...at].sort((one, other) => one - other));
  expect(at).not.toContain(-1);
  expect(methods.indexOf('StreamAgentStateUpdates')).toBeLessThan(methods.indexOf('SendUserCascadeMessage'));
  expect(JSON.stringify(bench.agent.bodiesOf('UpdateConversationAnnotations').at(-1))).toContain('"cascadeIds":[');
});

test('a chain and a conversation stay in one cascade; without either, each request has its own', async () => {
  const before = count('StartCascade');
  const first = await ask(bench, { input: '[[say One]]' });
  await ask(bench, { input: '[[say Two]]', previous_response_id: first.body.id });
  expect(count('StartCascade')).toBe(before + 1);
  await ask(bench, { input: '[[say One]]', conversation: 'chain' });
  await ask(bench, { input: '[[say Two]]', conversation: { id: 'chain' } });
  expect(count('StartCascade')).toBe(before + 2);
  await ask(bench, { input: '[[say One]]' });
  expect(count('StartCascade')).toBe(before + 3);
});

test('two turns at once after the same response both succeed, each in its own history', async () => {
  const first = await ask(bench, { input: 'ROOT [[say One]]' });
  const from = bench.model.calls.length;
  const turns = ['LEFT', 'RIGHT'].map((word) =>
    ask(bench, { input: `${word} [[say ${word}]]`, previous_response_id: first.body.id, stream: true }),
  );
  expect((await Promise.all(turns)).map(({ body }) => messagesOf(body))).toEqual([['LEFT'], ['RIGHT']]);
  for (const { text } of mainCallsOf(bench, from)) {
    expect(text).toContain('ROOT');
    expect(text.includes('LEFT') && text.includes('RIGHT')).toBe(false);
  }
});

test('sessions are listed by the conversation string, and forgotten by it', async () => {
  await ask(bench, { input: 'REMEMBER [[say One]]', conversation: 'talk about/tea ☕' });
  const listed = (await getJson('/v1/sessions')).body.data ?? [];
  expect(listed.map(({ id }) => id)).toContain('talk about/tea ☕');
  const gone = await fetch(`${bench.url}/v1/sessions/${encodeURIComponent('talk about/tea ☕')}`, { method: 'DELETE' });
  expect([200, 204]).toContain(gone.status);
  expect(JSON.stringify((await getJson('/v1/sessions')).body)).not.toContain('talk about');
  const from = bench.model.calls.length;
  await ask(bench, { input: '[[say Two]]', conversation: 'talk about/tea ☕' });
  expect(mainCallsOf(bench, from)[0]?.text).not.toContain('REMEMBER');
});

test('an output for a call that nobody made is a 400', async () => {
  const first = await ask(bench, { input: '[[call get_weather {}]]', tools });
  const output = { type: 'function_call_output', call_id: 'call_nobody', output: 'x' };
  for (const request of [{ input: [output] }, { input: [output], previous_response_id: first.body.id }]) {
    const answer = await ask(bench, { ...request, tools });
    expect([answer.status, (answer.body as unknown as { error: object }).error]).toMatchObject([400, { param: 'input' }]);
  }
});

test.each([true, false])(
  "the agent's own tools are never a function_call; text around them comes (stream %s)",
  async (stream) => {
    const input = '[[say Before.]] [[call read_note {"name":"a"}]] [[then]] [[say After.]]';
    const { body } = await ask(bench, { input, tools, stream });
    expect(body.output.map(({ type }) => type).filter((type) => type !== 'reasoning')).toEqual(['message', 'message']);
    expect(messagesOf(body)).toEqual(['Before.', 'After.']);
    expect(callsOf(body)).toEqual([]);
  },
);

test('history that the cascade has not seen is replayed to the model in its own form, and reported as emulated', async () => {
  const from = bench.model.calls.length;
  const answer = await ask(bench, {
    tools,
    input: [
      { role: 'user', content: 'What is the weather?' },
      { role: 'assistant', content: 'I will see.' },
      { type: 'function_call', call_id: 'c1', name: 'get_weather', arguments: '{"city":"Oslo"}' },
      { type: 'function_call_output', call_id: 'c1', output: 'cold' },
      { role: 'assistant', content: 'Cold.' },
      { role: 'user', content: '[[say Yes, cold.]]' },
    ],
  });
  expect(messagesOf(answer.body)).toEqual(['Yes, cold.']);
  expect(answer.headers.get('antiphon-losses')).toContain('emulated');
  const roles = (mainCallsOf(bench, from)[0]?.body['contents'] as { role: string }[]).map(({ role }) => role);
  expect(roles).toEqual(['user', 'model', 'user', 'model', 'user']);
});

test('a busy executor is asked again, and the message arrives once', async () => {
  bench.agent.setQuirks({ busyTimes: 2 });
  const sent = count('SendUserCascadeMessage');
  expect(messagesOf((await ask(bench, { input: '[[say In time]]', stream: true })).body)).toEqual(['In time']);
  expect(count('SendUserCascadeMessage')).toBe(sent + 3);
});

test('a trajectory that is gone is begun again with its history', async () => {
  const first = await ask(bench, { input: 'ORIGIN [[call get_weather {"city":"Oslo"}]]', tools });
  bench.agent.restart();
  const from = bench.model.calls.length;
  const second = await ask(bench, { input: outputsFor(first.body, 'rain'), tools, previous_response_id: first.body.id });
  expect(messagesOf(second.body)).toEqual(['get_weather returned {"result":"rain"}.']);
  expect(second.headers.get('antiphon-losses')).toContain('emulated');
  expect(mainCallsOf(bench, from)[0]?.text).toContain('ORIGIN');
});

test('with keep the agent stays as it is: no spec goes out that would take its parts away', async () => {
  await ask(bench, { input: '[[say Hi]]', instructions: 'Be kind' });
  const bodies = ['StartCascade', 'SendUserCascadeMessage'].flatMap((method) => bench.agent.bodiesOf(method));
  expect(JSON.stringify(bodies)).not.toContain('excludeDefaultComponents');
  expect(mainCallsOf(bench).at(-1)?.text).toContain('read_note');
});

test.each([false, true])('with drop it is a plain model, also where a build ignores the spec (%s)', async (ignoresAgentSpec) => {
  const plain = await startAgentGateway({
    backend: ', own_tools: drop',
    agent: { quirks: { ignoresAgentSpec } },
    model: { forbidden: hiddenForms },
  });
  const { body } = await ask(plain, { input: '[[call get_weather {}]]', tools, instructions: 'Be kind' });
  expect(callsOf(body)).toEqual(['get_weather {}']);
  expect(messagesOf((await ask(plain, { input: '[[say No tools]]' })).body)).toEqual(['No tools']);
  expect(plain.agent.bodiesOf('StartCascade')[0]?.['customAgentSpec']).toMatchObject({
    customAgent: { toolNames: [], excludeDefaultComponents: true },
    commandExecutionPolicy: 'off',
  });
  for (const call of mainCallsOf(plain)) expect(call.text).not.toContain('read_note');
  expect(mainCallsOf(plain)[0]?.text.split('Be kind')).toHaveLength(2);
  expect(plain.model.violations).toEqual([]);
  await plain.close();
});

test('a csrf value is sent where one is configured; a wrong one is an error that does not tell it', async () => {
  for (const [csrf, status] of [
    ['csrf-0123456789', 200],
    ['csrf-wrong-0123', 502],
  ] as const) {
    const guarded = await startAgentGateway({ backend: `, csrf_token: "${csrf}"`, agent: { csrf: 'csrf-0123456789' } });
    const answer = await ask(guarded, { input: '[[say Hi]]' });
    expect([answer.status, errorCodeOf(answer)]).toEqual([status, status === 200 ? undefined : 'upstream_auth_failed']);
    expect(JSON.stringify(answer.body)).not.toContain('csrf-');
    await guarded.close();
  }
});

test('the catalogue also comes from GetAvailableModels', async () => {
  const old = await startAgentGateway({
    mode: 'none',
    agent: {
      onRpc: ({ method }) =>
        method === 'GetCascadeModelConfigData' ? { code: 'unimplemented', message: 'not here', status: 501 } : undefined,
    },
  });
  expect(messagesOf((await ask(old, { input: '[[say Found]]' })).body)).toEqual(['Found']);
  await old.close();
});
