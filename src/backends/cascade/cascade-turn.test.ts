import { describe, expect, test } from 'vitest';
import { checkModelEvents } from '../../../test/check-model-events.ts';
import { plainRequest } from '../../../test/backend-suite.ts';
import { assistantItem, errorOfTurn, openCascadeBench, playTurn, turnOf, userItem } from '../../../test/doubles/cascade-turns.ts';
import { answerStep, growingStep, stepOf, userStep } from '../../../test/doubles/scripted-agent-server.ts';
import { Secret } from '../../model/secret.ts';

describe('a text turn', () => {
  test('subscribes, sends, answers at once with an empty batch, and streams the growth', async () => {
    const { backend, server } = openCascadeBench();
    server.answer = () => [
      { status: 'IDLE', steps: [] },
      { status: 'RUNNING', steps: [userStep, growingStep('It is su')] },
      { steps: [userStep, growingStep('It is sunny in')] },
      { status: 'IDLE', steps: [userStep, answerStep('It is sunny in Oslo.')] },
    ];
    const { events, batches, losses } = await playTurn(backend, plainRequest('one', 'Weather?'));
    expect(losses).toEqual([]);
    expect(batches[0]).toEqual([]);
    expect(events).toEqual([
      { type: 'text-delta', delta: 'It is ' },
      { type: 'text-delta', delta: 'sunny in Oslo.' },
      { type: 'usage', usage: { inputTokens: 20, cachedTokens: 0, cacheWriteTokens: 0, outputTokens: 7, reasoningTokens: 0 } },
      { type: 'finish', reason: 'stop' },
    ]);
    const calls = server.callsIn('cascade_1');
    expect(calls.slice(0, 4)).toEqual(['startCascade', 'readTrajectory', 'watchCascade', 'sendMessage']);
    expect(calls.slice(4, 6)).toEqual(['readTrajectory', 'readSteps']);
    expect(calls).not.toContain('cancelRun');
    expect(server.messages[0]).toEqual({
      ...{ cascadeId: 'cascade_1', text: 'Weather?', media: [], model: 'MODEL_ONE' },
      ...{ planner: {}, agentSpec: null },
    });
  });

  test("says several messages and nothing of the agent's own tools", async () => {
    const { backend, server } = openCascadeBench();
    const looks = answerStep('Let me look.', { planner: { toolCalls: [{ id: 'c', name: 'view_file', argumentsJson: '{}' }] } });
    server.answer = () => [
      { status: 'RUNNING', steps: [userStep, looks] },
      { steps: [userStep, looks, stepOf('VIEW_FILE', 'RUNNING')] },
      {
        status: 'IDLE',
        steps: [userStep, looks, stepOf('VIEW_FILE', 'DONE'), answerStep('Done.'), stepOf('CHECKPOINT', 'DONE')],
      },
    ];
    const { events, texts } = await playTurn(backend, plainRequest('one', 'Look'));
    expect(texts).toEqual(['Let me look.', 'Done.']);
    expect(checkModelEvents(events)).toEqual([]);
    expect(events).toContainEqual({
      type: 'usage',
      usage: expect.objectContaining({ inputTokens: 40, outputTokens: 14 }) as unknown,
    });
  });

  test('that is not streamed carries only what the server ended with', async () => {
    const { backend, server } = openCascadeBench();
    const frames = [
      { status: 'RUNNING' as const, steps: [growingStep('One two three ')] },
      { steps: [growingStep('One two three ')] },
      { status: 'IDLE' as const, steps: [answerStep('Uno due')] },
    ];
    server.answer = () => frames;
    const whole = await playTurn(backend, plainRequest('one', 'Count', { stream: false }));
    expect(whole.texts).toEqual(['Uno due']);
    const streamed = await playTurn(backend, plainRequest('one', 'Count'));
    expect(streamed.texts).toEqual(['One two three ', 'Uno due']);
  });

  test('takes usage from the trajectory where the steps have none, and only of this turn', async () => {
    const { backend, server } = openCascadeBench();
    const calls = (count: number) =>
      Array.from({ length: count }, () => ({ chatModel: { usage: { inputTokens: '10', outputTokens: '1' } } }));
    const bare = { metadata: { modelUsage: undefined } };
    server.answer = ({ text }) => [
      { status: 'IDLE', steps: [answerStep(text, bare)], generatorMetadata: calls(server.messages.length + 1) },
    ];
    const first = await playTurn(backend, turnOf('r1', null, { own: [userItem('a')] }));
    expect(first.events).toContainEqual({ type: 'usage', usage: expect.objectContaining({ inputTokens: 10 }) as unknown });
    const second = await playTurn(
      backend,
      turnOf('r2', 'r1', { history: [userItem('a'), assistantItem('a')], own: [userItem('b')] }),
    );
    expect(server.starts).toHaveLength(1);
    expect(second.events).toContainEqual({
      type: 'usage',
      usage: expect.objectContaining({ inputTokens: 10, outputTokens: 1 }) as unknown,
    });
  });

  test('names the model that really answered, when it is another one', async () => {
    const { backend, server } = openCascadeBench();
    server.answer = () => [{ status: 'IDLE', steps: [answerStep('Hi', { metadata: { generatorModel: 'MODEL_TWO' } })] }];
    expect((await playTurn(backend, plainRequest('one', 'Hi'))).events).toContainEqual({ type: 'served-model', model: 'two' });
    server.answer = () => [{ status: 'IDLE', steps: [answerStep('Hi')] }];
    expect((await playTurn(backend, plainRequest('one', 'Hi'))).events.map(({ type }) => type)).not.toContain('served-model');
  });

  test('ends at a limit as the model says', async () => {
    const { backend, server } = openCascadeBench();
    server.answer = () => [
      { status: 'IDLE', steps: [answerStep('Half an', { planner: { stopReason: 'STOP_REASON_MAX_TOKENS' } })] },
    ];
    const { events } = await playTurn(backend, plainRequest('one', 'Hi', { maxOutputTokens: 3 }));
    expect(events.at(-1)).toEqual({ type: 'finish', reason: 'length' });
    expect(server.messages[0]?.planner).toEqual({ maxOutputTokens: 3 });
  });

  test('waits a moment for thinking that is owed, which becomes a later item', async () => {
    const { backend, server } = openCascadeBench();
    const thought = { modelUsage: { inputTokens: '9', outputTokens: '9', thinkingOutputTokens: '5' } };
    server.answer = () => [
      { status: 'IDLE', steps: [answerStep('Yes', { metadata: thought })] },
      { passes: 120, steps: [answerStep('Yes', { metadata: thought, planner: { thinking: 'Why not?' } })] },
    ];
    const { events } = await playTurn(backend, plainRequest('one', 'Hi'));
    expect(events.map(({ type }) => type)).toEqual(['text-delta', 'reasoning-delta', 'usage', 'finish']);
  });

  test('does not wait for it longer than it should', async () => {
    const { backend, server, clock } = openCascadeBench();
    server.answer = () => [{ status: 'IDLE', steps: [answerStep('Yes')] }];
    const request = plainRequest('one', 'Hi', { reasoning: { effort: null, summary: 'auto' } });
    const { events } = await playTurn(backend, request, {
      onBatch: (batch) => {
        if (batch.length > 0) setImmediate(() => clock.advance(600));
      },
    });
    expect(events.map(({ type }) => type)).toEqual(['text-delta', 'usage', 'finish']);
  });
});

describe('the model', () => {
  test('goes by id, label, name at the server, and default', async () => {
    for (const [name, expected] of [
      ['one', 'MODEL_ONE'],
      ['model one', 'MODEL_ONE'],
      ['MODEL_TWO', 'MODEL_TWO'],
      ['default', 'MODEL_ONE'],
    ] as const) {
      const { backend, server } = openCascadeBench();
      await playTurn(backend, plainRequest(name, 'Hi'));
      expect([server.starts[0]?.model, server.messages[0]?.model]).toEqual([expected, expected]);
    }
    const { backend, server } = openCascadeBench({ defaultModel: 'two' });
    await playTurn(backend, plainRequest('default', 'Hi'));
    expect(server.messages[0]?.model).toBe('MODEL_TWO');
  });

  test('that nobody knows is refused before anything is sent, with the names there are (deviation 24)', async () => {
    const { backend, server } = openCascadeBench();
    const error = errorOfTurn(await playTurn(backend, plainRequest('onee', 'Hi')));
    expect(error).toMatchObject({ code: 'model_not_found', status: 400, param: 'model' });
    expect(error.message).toContain("Did you mean 'agent/one'?");
    expect(error.message).toContain('Available: agent/one, agent/two.');
    expect(new Set(server.calls.map(({ method }) => method))).toEqual(new Set(['listModels']));
    server.models = [];
    expect(errorOfTurn(await playTurn(backend, plainRequest('default', 'Hi'))).message).toContain('lists no models');
  });

  test('is listed by its public id', async () => {
    const { backend } = openCascadeBench();
    expect(await backend.listModels(new AbortController().signal)).toEqual(
      ['one', 'two'].map((id) => ({ id, created: null, ownedBy: null })),
    );
    expect(await backend.countInputTokens(plainRequest('one', 'Hi'), new AbortController().signal)).toBeNull();
  });
});

describe('instructions and own tools', () => {
  const request = plainRequest('one', 'Hi', { instructions: 'Be brief' });

  test('keep: the agent stays as it is, instructions stand before the text', async () => {
    const { backend, server } = openCascadeBench();
    const { losses } = await playTurn(backend, request);
    expect(losses).toMatchObject([{ path: 'instructions', action: 'emulated' }]);
    expect(server.messages[0]).toMatchObject({ text: '[system]\nBe brief\n\n[user]\nHi', agentSpec: null });
    expect(server.starts[0]?.agentSpec).toBeNull();
  });

  test('drop: a plain model, whose system prompt they are', async () => {
    const { backend, server } = openCascadeBench({ ownTools: 'drop' });
    await playTurn(backend, request);
    const spec = {
      customAgent: {
        systemPromptSections: [{ title: 'INSTRUCTIONS', content: 'Be brief' }],
        toolNames: [],
        excludeDefaultComponents: true,
      },
      commandExecutionPolicy: 'off',
      cascadeConfig: { plannerConfig: { planModel: 'MODEL_ONE', requestedModel: { model: 'MODEL_ONE' } } },
    };
    expect(server.messages[0]).toMatchObject({ text: 'Hi', agentSpec: spec });
    expect(server.starts[0]?.agentSpec).toEqual(spec);
    await playTurn(backend, plainRequest('one', 'Hi'));
    expect(server.messages[1]?.agentSpec).toMatchObject({ customAgent: { systemPromptSections: [] } });
  });
});

test('a token can be set where the server takes one, and only there', () => {
  const set: Secret[] = [];
  const { backend } = openCascadeBench({ token: { set: (token) => void set.push(token) } });
  backend.setToken?.(new Secret('t'));
  expect(set).toHaveLength(1);
  expect('setToken' in openCascadeBench().backend).toBe(false);
});
