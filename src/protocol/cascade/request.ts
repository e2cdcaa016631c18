/** A member of an enum: its name, or its number where nobody knows the name. */
export type CascadeEnum = string | number;

/** A message whose members only the agent server looks at. */
type Message = { readonly [name: string]: unknown };

/** Body of StartCascade. Here `requestedModel` is an enum, in a message it is a message. */
export interface StartCascadeRequest {
  readonly source: 'CORTEX_TRAJECTORY_SOURCE_SDK';
  readonly trajectoryType: 'CORTEX_TRAJECTORY_TYPE_CASCADE';
  readonly requestedModel?: CascadeEnum;
  readonly workspaceUris?: readonly string[];
  readonly customAgentSpec?: Message;
  readonly tags: readonly string[];
}

/** How a message's model is called; builds look at different ones. */
export interface PlannerModel {
  readonly planModel?: CascadeEnum;
  readonly requestedModel?: { readonly model: CascadeEnum };
  readonly requestedModelUid?: string;
}

interface PlannerConfig extends PlannerModel {
  readonly conversational: Message;
  readonly toolConfig: {
    readonly runCommand: {
      readonly autoCommandConfig: { readonly autoExecutionPolicy: 'CASCADE_COMMANDS_AUTO_EXECUTION_OFF' };
    };
  };
}

export interface CascadeMedia {
  readonly mimeType: string;
  /** Base64. */
  readonly inlineData: string;
  readonly displayName?: string;
}

/** Body of SendUserCascadeMessage. The deprecated `metadata` is never sent. */
export interface SendMessageRequest {
  readonly cascadeId: string;
  readonly items: readonly { readonly text: string }[];
  readonly media?: readonly CascadeMedia[];
  readonly cascadeConfig: { readonly plannerConfig: PlannerConfig };
  readonly messageOrigin: 'AGENT_MESSAGE_ORIGIN_SDK_EXECUTABLE';
  readonly customAgentSpec?: Message;
}

/** Body of UpdateConversationAnnotations; `lastUserViewTime` is RFC 3339. */
export interface AnnotateRequest {
  readonly cascadeIds: readonly string[];
  readonly annotations: { readonly lastUserViewTime?: string; readonly archived?: boolean };
  readonly mergeAnnotations: true;
}
