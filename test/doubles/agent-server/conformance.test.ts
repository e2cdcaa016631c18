import { readFileSync } from 'node:fs';
import { connect } from 'node:http2';
import { afterEach, describe, expect, test } from 'vitest';
import { objectsOf, textOf } from '../gemini-model/gemini-words.ts';
import { createAgentBench } from './agent-bench.ts';
import { at, planner } from './ask-agent.ts';

const bench = createAgentBench();
afterEach(() => bench.close());

describe('the door', () => {
  test('Heartbeat checks CSRF value and token, and counts refused tokens', async () => {
    const { agent, client } = await bench.open({ csrf: 'c', tokens: ['t1'] });
    const ask = async (csrf: string, token: string): Promise<number> =>
      (await client.call('Heartbeat', {}, { 'x-codeium-csrf-token': csrf, authorization: `Bearer ${token}` })).status;
    expect([await ask('c', 't1'), await ask('x', 't1'), await ask('c', 't2')]).toEqual([200, 401, 401]);
    agent.setTokens(['t2']);
    expect([await ask('c', 't1'), await ask('c', 't2'), agent.unauthorized]).toEqual([401, 200, 2]);
  });

  test('unknown methods, wrong content types, broken JSON', async () => {
    const { agent, client } = await bench.open();
    expect((await client.call('Nonsense')).status).toBe(404);
    expect((await client.call('Heartbeat', {}, { 'content-type': 'text/plain' })).status).toBe(415);
    const url = `${agent.url}/exa.language_server_pb.LanguageServerService/Heartbeat`;
    const broken = await fetch(url, { method: 'POST', headers: { 'content-type': 'application/json' }, body: '{' });
    expect(broken.status).toBe(400);
  });

  test('https with h2', async () => {
    const { agent } = await bench.open({ tls: 'self-signed' });
    const session = connect(agent.url, { ca: readFileSync(agent.caFile!) });
    const stream = session.request({
      ':method': 'POST',
      ':path': '/exa.language_server_pb.LanguageServerService/Heartbeat',
      'content-type': 'application/json',
    });
    stream.end('{}');
    let text = '';
    for await (const piece of stream) text += String(piece);
    await new Promise<void>((resolve) => {
      session.close(resolve);
    });
    expect(text).toBe('{}');
  });
});

describe('protojson types', () => {
  const wrong: [name: string, request: [method: string, body: object], status: number, words: RegExp][] = [
    ['no source', ['StartCascade', {}], 400, /CortexTrajectorySource/],
    ['a message where an enum is due', ['StartCascade', { source: 1, requestedModel: { model: 'M' } }], 400, /requestedModel/],
    ['a number where a string is due', ['GetCascadeTrajectory', { cascadeId: 7 }], 400, /cascadeId/],
    ['a list where a message is due', ['UpdateConversationAnnotations', { annotations: [] }], 400, /annotations/],
    ['a cascade that is not there', ['GetCascadeTrajectory', { cascadeId: 'nope' }], 500, /^trajectory not found: nope$/],
  ];
  test.each(wrong)('%s', async (_, request, status, words) => {
    const { client } = await bench.open();
    const answer = await client.call(...request);
    expect(answer.status).toBe(status);
    expect(answer.body['message']).toMatch(words);
  });

  test('a message without a model, with a model as text, with an unknown one, and with one that is switched off', async () => {
    const { client } = await bench.open();
    const cascadeId = await client.start();
    const message = async (plannerConfig: object | null): Promise<string> => {
      const cascadeConfig = plannerConfig === null ? undefined : { plannerConfig };
      const { status, body } = await client.send(cascadeId, 'Hi', { cascadeConfig });
      return `${status} ${textOf(body['code'])} ${textOf(body['message'])}`;
    };
    expect(await message(null)).toBe('500 unknown neither PlanModel nor RequestedModel specified');
    expect(await message({ requestedModel: 'MODEL_PLACEHOLDER_M11' })).toMatch(/^400 invalid_argument/);
    expect(await message({ planModel: 'MODEL_NOPE' })).toBe('500 unknown model not found');
    expect(await message({ planModel: 'MODEL_PLACEHOLDER_M9' })).toBe('500 unknown model not found');
  });

  test('snake_case comes in, an id of the caller is taken, unknown fields are dropped', async () => {
    const { client } = await bench.open();
    const started = await client.call('StartCascade', { source: 12, cascade_id: 'mine', nonsense: { a: 1 } });
    expect(started.body).toEqual({ cascadeId: 'mine' });
    expect((await client.call('GetCascadeTrajectory', { cascade_id: 'mine' })).body).toMatchObject({
      status: 'CASCADE_RUN_STATUS_IDLE',
    });
  });
});

describe('a turn', () => {
  test('answers at once with nothing; then the steps grow, and usage comes as strings', async () => {
    const { client, turn, model } = await bench.open();
    const cascadeId = await client.start();
    await turn(cascadeId, '[[think Hm.]] [[say Hello there.]]');
    const steps = await client.steps(cascadeId);
    expect(steps.map((step) => textOf(step['type']).replace('CORTEX_STEP_TYPE_', ''))).toEqual([
      'USER_INPUT',
      'CONVERSATION_HISTORY',
      'PLANNER_RESPONSE',
      'CHECKPOINT',
    ]);
    const step = steps[2];
    expect(at(step, 'plannerResponse')).toMatchObject({
      response: 'Hello there.',
      modifiedResponse: 'Hello there.',
      thinking: 'Hm.',
      stopReason: 'STOP_REASON_STOP_PATTERN',
    });
    expect(at(step, 'metadata.modelUsage.outputTokens')).toMatch(/^\d+$/);
    // Zero values are left out, 64-bit ones too.
    expect(at(step, 'metadata.modelUsage')).not.toHaveProperty('cacheReadTokens');
    expect(at(steps[0], 'metadata.sourceTrajectoryStepInfo')).not.toHaveProperty('stepIndex');
    expect(at(steps[3], 'metadata.modelUsage.model')).toBe('MODEL_PLACEHOLDER_M50');
    expect(model.violations).toEqual([]);
  });

  test('status, ids and usage of the trajectory; the annotations', async () => {
    const { agent, client, turn } = await bench.open();
    const cascadeId = await client.start();
    await turn(cascadeId, 'Hello');
    const { body } = await client.call('GetCascadeTrajectory', { cascadeId });
    expect(body).toMatchObject({ status: 'CASCADE_RUN_STATUS_IDLE', numTotalSteps: 4, trajectory: { cascadeId } });
    expect(at(body, 'trajectory.trajectoryId')).not.toBe(cascadeId);
    const metadata = await client.call('GetCascadeTrajectoryGeneratorMetadata', { cascadeId });
    expect(at(objectsOf(metadata.body['generatorMetadata'])[0], 'chatModel.model')).toBe('MODEL_PLACEHOLDER_M11');
    await client.call('UpdateConversationAnnotations', {
      cascadeIds: [cascadeId],
      annotations: { archived: true },
      mergeAnnotations: true,
    });
    expect(agent.cascades()[0]?.annotations).toMatchObject({ archived: true });
    expect((await client.call('DeleteCascadeTrajectory', { cascadeId })).body).toEqual({});
    expect(agent.cascades()).toEqual([]);
  });

  test('the model gets the title call first, then the main call with template, tools and history', async () => {
    const { agent, client, turn, model } = await bench.open();
    const cascadeId = await client.start();
    await turn(cascadeId, '[[say One.]]');
    await turn(cascadeId, '[[say Two.]]');
    expect(agent.modelCalls.map(({ purpose }) => purpose)).toEqual(['title', 'main', 'checkpoint', 'main', 'checkpoint']);
    const [title, , , main] = model.calls;
    expect(title).toMatchObject({ model: 'gemini-2.5-flash-lite', verb: 'generateContent' });
    expect(title?.text).toContain('[[say One.]]');
    expect(title?.body).not.toHaveProperty('tools');
    expect(main?.path).toBe('/v1beta/models/gemini-3-pro:streamGenerateContent?alt=sse');
    expect(main?.text).toContain('<USER_REQUEST>\\n[[say Two.]]\\n</USER_REQUEST>');
    expect(main?.text).toContain('read_note');
    expect(objectsOf(main?.body['contents']).map(({ role }) => role)).toEqual(['user', 'model', 'user']);
    // Its own signature goes back where it was.
    expect(main?.text).toContain('thoughtSignature');
    expect(model.violations).toEqual([]);
  });

  test('its own tools run in a loop, with their signatures and ids', async () => {
    const { client, turn, model } = await bench.open({ notes: { plan: 'walk' } });
    const cascadeId = await client.start();
    await turn(cascadeId, '[[call read_note {"name":"plan"}]] [[call list_notes]] [[then]] [[call read_note {"name":"none"}]]');
    const steps = await client.steps(cascadeId);
    expect(steps.map((step) => textOf(step['type']).replace('CORTEX_STEP_TYPE_', '')).slice(2)).toEqual([
      'PLANNER_RESPONSE',
      'VIEW_FILE',
      'LIST_DIRECTORY',
      'PLANNER_RESPONSE',
      'VIEW_FILE',
      'PLANNER_RESPONSE',
      'CHECKPOINT',
    ]);
    expect(at(steps[2], 'plannerResponse.stopReason')).toBe('STOP_REASON_FUNCTION_CALL');
    expect(at(steps[3], 'metadata.toolCall')).toMatchObject({ name: 'read_note', argumentsJson: '{"name":"plan"}' });
    expect(at(steps[7], 'plannerResponse.response')).toBe('read_note returned {"error":"there is no note none"}.');
    expect(model.violations).toEqual([]);
  });

  test('a custom agent has no tools and only its own instructions; a build may ignore that', async () => {
    const { client, turn, model, agent } = await bench.open({ quirks: { titleCall: false, checkpoint: false } });
    const customAgent = {
      systemPromptSections: [{ title: 'A', content: 'Be kind.' }],
      toolNames: [],
      excludeDefaultComponents: true,
    };
    const cascadeId = await client.start({ customAgentSpec: { customAgent, commandExecutionPolicy: 'off' } });
    await turn(cascadeId, 'Hello');
    expect(model.calls[0]?.body).toMatchObject({ systemInstruction: { parts: [{ text: 'Be kind.' }] } });
    expect(model.calls[0]?.body).not.toHaveProperty('tools');
    agent.setQuirks({ ignoresAgentSpec: true });
    await turn(cascadeId, 'Hello');
    expect(model.calls[1]?.body).toHaveProperty('tools');
  });

  test('a second message while one runs is refused; cancelling breaks the model call and ends in IDLE', async () => {
    const { agent, client, model, statusOf } = await bench.open({ quirks: { titleCall: false } });
    const cascadeId = await client.start();
    await client.send(cascadeId, '[[say Begun.]] [[hold]]');
    await model.until(() => model.held === 1);
    expect((await client.send(cascadeId, 'Again')).body['message']).toBe('cascade has not processed the previous input');
    await client.call('CancelCascadeInvocation', { cascadeId });
    await agent.until(() => statusOf(cascadeId) === 'IDLE');
    expect(at((await client.steps(cascadeId)).at(-1), 'plannerResponse')).toMatchObject({
      response: 'Begun.',
      stopReason: 'STOP_REASON_CLIENT_STREAM_ERROR',
    });
    await model.until(() => model.calls[0]?.wasAborted === true);
    expect(agent.cancelled).toMatchObject([{ cascadeId }]);
    expect(agent.modelCalls[0]?.outcome).toBe('cancelled');
  });

  test('media and a token limit reach the model', async () => {
    const { client, turn, model } = await bench.open({ quirks: { titleCall: false, checkpoint: false } });
    const cascadeId = await client.start();
    const cascadeConfig = { plannerConfig: { ...planner.plannerConfig, maxOutputTokens: 1000 } };
    await turn(cascadeId, 'Look', { media: [{ mimeType: 'image/png', inlineData: 'aGk=' }], cascadeConfig });
    expect(model.calls[0]?.text).toContain('"inlineData":{"mimeType":"image/png","data":"aGk="}');
    expect(model.calls[0]?.body).toMatchObject({ generationConfig: { maxOutputTokens: 1000 } });
  });

  test('the catalogue, both ways: labels, enums, one model that is switched off', async () => {
    const { client } = await bench.open();
    const configs = objectsOf((await client.call('GetCascadeModelConfigData')).body['clientModelConfigs']);
    expect(configs.map(({ modelId, disabled }) => [modelId, disabled])).toEqual([
      ['gemini-3-pro', undefined],
      ['gemini-3-flash', undefined],
      ['gemini-2.5-pro', true],
    ]);
    expect(at(configs[0], 'modelOrAlias.model')).toBe('MODEL_PLACEHOLDER_M11');
    const available = await client.call('GetAvailableModels', { forceRefresh: true });
    expect((at(available.body, 'response.models') as Record<string, unknown>)['gemini-3-flash']).toMatchObject({
      model: 'MODEL_PLACEHOLDER_M12',
    });
  });
});
