import { isJsonObject, type JsonObject } from '../../../src/lib/json.ts';
import { RpcError } from './connect-wire.ts';

/** Types of fields as protojson checks them. `enum` is a name or a number; what is in brackets is repeated; an object is a message. */
type FieldType = 'string' | 'bool' | 'int' | 'enum' | 'any' | readonly [FieldType] | { readonly [field: string]: FieldType };
type MessageType = { readonly [field: string]: FieldType };

const modelMessage: MessageType = { model: 'enum', alias: 'enum' };
const cascadeConfig: MessageType = {
  plannerConfig: {
    conversational: { plannerMode: 'enum', agenticMode: 'bool' },
    planModel: 'enum',
    requestedModel: modelMessage,
    requestedModelUid: 'string',
    maxOutputTokens: 'int',
    supportsThinking: 'bool',
    thinkingBudget: 'int',
    toolConfig: { runCommand: { autoCommandConfig: { autoExecutionPolicy: 'enum' } } },
  },
};
const customAgentSpec: MessageType = {
  customAgent: {
    systemPromptSections: [{ title: 'string', content: 'string' }],
    toolNames: ['string'],
    excludeDefaultComponents: 'bool',
  },
  commandExecutionPolicy: 'string',
  cascadeConfig,
};
const onlyCascade: MessageType = { cascadeId: 'string' };

const messages: { readonly [method: string]: MessageType } = {
  Heartbeat: {},
  StartCascade: {
    source: 'enum',
    trajectoryType: 'enum',
    workspaceUris: ['string'],
    requestedModel: 'enum',
    tags: ['string'],
    cascadeId: 'string',
    metadata: { ideName: 'string', ideVersion: 'string' },
    customAgentSpec,
  },
  SendUserCascadeMessage: {
    cascadeId: 'string',
    items: [{ text: 'string' }],
    media: [{ mimeType: 'string', inlineData: 'string', displayName: 'string', description: 'string' }],
    cascadeConfig,
    blocking: 'bool',
    messageOrigin: 'enum',
    customAgentSpec,
    deliveryStrategy: 'enum',
    clientType: 'enum',
    tags: ['string'],
  },
  GetCascadeTrajectorySteps: { cascadeId: 'string', stepOffset: 'int', trajectoryVerbosity: 'enum' },
  GetCascadeTrajectory: { cascadeId: 'string', trajectoryVerbosity: 'enum' },
  StreamCascadeReactiveUpdates: { protocolVersion: 'int', id: 'string', subscriberId: 'string' },
  StreamAgentStateUpdates: {
    conversationId: 'string',
    subscriberId: 'string',
    trajectoryVerbosity: 'enum',
    initialStepsPageBounds: { startIndex: 'int', endIndex: 'int' },
  },
  UpdateConversationAnnotations: {
    cascadeIds: ['string'],
    annotations: { lastUserViewTime: 'string', title: 'string', archived: 'bool', markedAsUnread: 'bool' },
    mergeAnnotations: 'bool',
  },
  CancelCascadeInvocation: { cascadeId: 'string', killBackgroundTasks: 'bool' },
  HandleCascadeUserInteraction: {
    cascadeId: 'string',
    interaction: { trajectoryId: 'string', stepIndex: 'int', permission: { allow: 'bool' } },
  },
  DeleteCascadeTrajectory: onlyCascade,
  LoadTrajectory: onlyCascade,
  GetCascadeModelConfigData: {},
  GetAvailableModels: { forceRefresh: 'bool' },
  GetCascadeTrajectoryGeneratorMetadata: { cascadeId: 'string', generatorMetadataOffset: 'int' },
};

/** Whether the server has the method at all. */
export function isKnownMethod(method: string): boolean {
  return Object.hasOwn(messages, method);
}

/** The message with camelCase fields. A wrong type is an error, null is as good as absent, and unknown fields are dropped. */
export function readMessage(method: string, value: unknown): JsonObject {
  return readFields(value, messages[method] ?? {}, method);
}

function readFields(value: unknown, type: MessageType, path: string): JsonObject {
  if (!isJsonObject(value)) throw mistyped(value, path);
  const fields = Object.entries(value).flatMap(([written, inner]): [string, unknown][] => {
    const name = written.replaceAll(/_([a-z])/g, (_, letter: string) => letter.toUpperCase());
    const fieldType = type[name];
    return fieldType === undefined || inner === null ? [] : [[name, readField(inner, fieldType, `${path}.${name}`)]];
  });
  return Object.fromEntries(fields);
}

function readField(value: unknown, type: FieldType, path: string): unknown {
  if (Array.isArray(type)) {
    if (!Array.isArray(value)) throw mistyped(value, path);
    return value.map((inner) => readField(inner, (type as readonly [FieldType])[0], path));
  }
  if (typeof type === 'object') return readFields(value, type as MessageType, path);
  if (!isOfType(value, type)) throw mistyped(value, path);
  return type === 'int' ? Number(value) : value;
}

function isOfType(value: unknown, type: string): boolean {
  switch (type) {
    case 'string':
      return typeof value === 'string';
    case 'bool':
      return typeof value === 'boolean';
    case 'int':
      return Number.isInteger(value) || (typeof value === 'string' && /^-?\d+$/.test(value));
    case 'enum':
      return typeof value === 'string' || Number.isInteger(value);
    default:
      return true;
  }
}

function mistyped(value: unknown, path: string): RpcError {
  return new RpcError('invalid_argument', `proto: syntax error: unexpected token ${JSON.stringify(value)} for ${path}`);
}
