import { describe, expect, test } from 'vitest';
import { toSendMessage, toStartCascade, type ModelField } from './to-cascade-request.ts';

const message = { cascadeId: 'c1', text: 'Hi', media: [], model: 'MODEL_X', planner: {}, agentSpec: null };
const commandsOff = { runCommand: { autoCommandConfig: { autoExecutionPolicy: 'CASCADE_COMMANDS_AUTO_EXECUTION_OFF' } } };

describe('StartCascade', () => {
  const options = { model: 'MODEL_X', modelField: 'both' as ModelField, workspaceUris: [], agentSpec: null };

  test('the model is an enum, not a message; what is not configured is not sent', () => {
    expect(toStartCascade(options)).toEqual({
      source: 'CORTEX_TRAJECTORY_SOURCE_SDK',
      trajectoryType: 'CORTEX_TRAJECTORY_TYPE_CASCADE',
      requestedModel: 'MODEL_X',
      tags: ['antiphon'],
    });
  });

  test('work folders, an agent of its own, a model by uid', () => {
    const agentSpec = { customAgent: { toolNames: [] } };
    expect(toStartCascade({ ...options, modelField: 'uid', workspaceUris: ['file:///a'], agentSpec })).toEqual({
      source: 'CORTEX_TRAJECTORY_SOURCE_SDK',
      trajectoryType: 'CORTEX_TRAJECTORY_TYPE_CASCADE',
      workspaceUris: ['file:///a'],
      customAgentSpec: agentSpec,
      tags: ['antiphon'],
    });
  });
});

describe('SendUserCascadeMessage', () => {
  test.each([
    ['both', { planModel: 'MODEL_X', requestedModel: { model: 'MODEL_X' } }],
    ['plan', { planModel: 'MODEL_X' }],
    ['requested', { requestedModel: { model: 'MODEL_X' } }],
    ['uid', { requestedModelUid: 'MODEL_X' }],
  ] as const)('model field %s', (field, expected) => {
    expect(toSendMessage(message, field).cascadeConfig.plannerConfig).toEqual({
      conversational: {},
      ...expected,
      toolConfig: commandsOff,
    });
  });

  test('an enum that only has a number is sent as a number, a uid of digits is not', () => {
    expect(toSendMessage({ ...message, model: '312' }, 'both').cascadeConfig.plannerConfig).toMatchObject({
      planModel: 312,
      requestedModel: { model: 312 },
    });
    expect(toSendMessage({ ...message, model: '312' }, 'uid').cascadeConfig.plannerConfig).toMatchObject({
      requestedModelUid: '312',
    });
  });

  test('settings of the planner go along, but not in place of the model or of the command policy', () => {
    const planner = { maxOutputTokens: 100, planModel: 'MODEL_EVIL', toolConfig: { runCommand: 'always' } };
    expect(toSendMessage({ ...message, planner }, 'plan').cascadeConfig.plannerConfig).toEqual({
      conversational: {},
      maxOutputTokens: 100,
      planModel: 'MODEL_X',
      toolConfig: commandsOff,
    });
  });

  test('media and an agent of its own; never `metadata`', () => {
    const media = [{ mimeType: 'image/png', inlineData: 'AAAA', displayName: 'a.png' }];
    const body = toSendMessage({ ...message, media, agentSpec: { customAgent: {} } }, 'both');
    expect(body).toMatchObject({
      cascadeId: 'c1',
      items: [{ text: 'Hi' }],
      media,
      messageOrigin: 'AGENT_MESSAGE_ORIGIN_SDK_EXECUTABLE',
      customAgentSpec: { customAgent: {} },
    });
    expect(body).not.toHaveProperty('metadata');
    expect(toSendMessage(message, 'both')).not.toHaveProperty('media');
  });
});
