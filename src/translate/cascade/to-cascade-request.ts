import type { JsonObject } from '../../lib/json.ts';
import type {
  CascadeEnum,
  CascadeMedia,
  PlannerModel,
  SendMessageRequest,
  StartCascadeRequest,
} from '../../protocol/cascade/request.ts';

/** Which field of the planner configuration names the model; `both` is `plan` and `requested`. */
export type ModelField = 'both' | 'plan' | 'requested' | 'uid';

/** The body of StartCascade (backends.md A.2.1). With `uid` the model is named by the messages only: the call has no field for it. */
export function toStartCascade(options: {
  readonly model: string;
  readonly modelField: ModelField;
  readonly workspaceUris: readonly string[];
  readonly agentSpec: JsonObject | null;
}): StartCascadeRequest {
  const { model, modelField, workspaceUris, agentSpec } = options;
  return {
    source: 'CORTEX_TRAJECTORY_SOURCE_SDK',
    trajectoryType: 'CORTEX_TRAJECTORY_TYPE_CASCADE',
    ...(modelField !== 'uid' && { requestedModel: toEnum(model) }),
    ...(workspaceUris.length > 0 && { workspaceUris }),
    ...(agentSpec !== null && { customAgentSpec: agentSpec }),
    tags: ['antiphon'],
  };
}

/** The body of SendUserCascadeMessage (backends.md A.2.2). Commands never run without a human; `planner` cannot change that, nor the model. */
export function toSendMessage(
  message: {
    readonly cascadeId: string;
    readonly text: string;
    readonly media: readonly CascadeMedia[];
    readonly model: string;
    readonly planner: JsonObject;
    readonly agentSpec: JsonObject | null;
  },
  modelField: ModelField,
): SendMessageRequest {
  const { cascadeId, text, media, model, planner, agentSpec } = message;
  const plannerConfig = {
    conversational: {},
    ...planner,
    ...toPlannerModel(model, modelField),
    toolConfig: { runCommand: { autoCommandConfig: { autoExecutionPolicy: 'CASCADE_COMMANDS_AUTO_EXECUTION_OFF' } } },
  } as const;
  return {
    cascadeId,
    items: [{ text }],
    ...(media.length > 0 && { media }),
    cascadeConfig: { plannerConfig },
    messageOrigin: 'AGENT_MESSAGE_ORIGIN_SDK_EXECUTABLE',
    ...(agentSpec !== null && { customAgentSpec: agentSpec }),
  };
}

function toPlannerModel(model: string, field: ModelField): PlannerModel {
  switch (field) {
    case 'plan':
      return { planModel: toEnum(model) };
    case 'requested':
      return { requestedModel: { model: toEnum(model) } };
    case 'uid':
      return { requestedModelUid: model };
    case 'both':
      return { planModel: toEnum(model), requestedModel: { model: toEnum(model) } };
  }
}

/** protojson takes an enum's number only as a number. */
function toEnum(name: string): CascadeEnum {
  return /^\d{1,9}$/.test(name) ? Number(name) : name;
}
