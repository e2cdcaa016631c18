import { isJsonObject, type JsonObject } from '../../lib/json.ts';
import { toCallUsage, type CallUsage } from './call-usage.ts';
import { readEnumSuffix, readList, readMessage, readText } from './read-proto.ts';

/**
 * `answer`: a PLANNER_RESPONSE; `notice`: a NOTIFY_USER, which users see as well; `error`: an ERROR_MESSAGE; `tool`: a call of one of the agent's own tools; `other`: what
 * is no part of an answer.
 */
type StepKind = 'answer' | 'notice' | 'error' | 'tool' | 'other';

/** What is used of one step of a trajectory (backends.md A.3). */
export interface CascadeStep {
  readonly kind: StepKind;
  /** `CORTEX_STEP_STATUS_*` without the prefix. */
  readonly status: string;
  /** The whole text so far; of an `error` its description. */
  readonly text: string;
  /** The whole thinking so far. */
  readonly thinking: string;
  /** What the model wants back of its thinking, or null. */
  readonly signature: string | null;
  /** `STOP_REASON_*` without the prefix, or null while there is none. */
  readonly stopReason: string | null;
  /** The model calls tools of the agent here, so its run goes on. */
  readonly callsTools: boolean;
  /** The agent waits for a person. */
  readonly asksUser: boolean;
  /** The server's name of the model that wrote it, or null. */
  readonly model: string | null;
  /** Only of an `answer`. */
  readonly usage: CallUsage | null;
  readonly trajectoryId: string | null;
}

const stepTypes = {
  5: 'CODE_ACTION',
  7: 'GREP_SEARCH',
  8: 'VIEW_FILE',
  9: 'LIST_DIRECTORY',
  14: 'USER_INPUT',
  15: 'PLANNER_RESPONSE',
  17: 'ERROR_MESSAGE',
  21: 'RUN_COMMAND',
  23: 'CHECKPOINT',
  33: 'SEARCH_WEB',
  38: 'MCP_TOOL',
  81: 'TASK_BOUNDARY',
  82: 'NOTIFY_USER',
  132: 'GENERIC',
  138: 'ASK_QUESTION',
};

const toolTypes: ReadonlySet<string> = new Set([
  ...['CODE_ACTION', 'GREP_SEARCH', 'VIEW_FILE', 'LIST_DIRECTORY', 'RUN_COMMAND'],
  ...['SEARCH_WEB', 'MCP_TOOL', 'TASK_BOUNDARY', 'GENERIC', 'ASK_QUESTION'],
]);

const stepStatuses = {
  1: 'PENDING',
  2: 'RUNNING',
  3: 'DONE',
  4: 'INVALID',
  5: 'CLEARED',
  6: 'CANCELED',
  7: 'ERROR',
  8: 'GENERATING',
  9: 'WAITING',
  10: 'HALTED',
  11: 'QUEUED',
  12: 'INTERRUPTED',
};

const stopReasons = { 1: 'INCOMPLETE', 2: 'STOP_PATTERN', 3: 'MAX_TOKENS', 10: 'FUNCTION_CALL', 13: 'ERROR' };

const activeStatuses: ReadonlySet<string> = new Set(['PENDING', 'RUNNING', 'GENERATING', 'QUEUED']);
const deadStatuses: ReadonlySet<string> = new Set(['INVALID', 'CLEARED', 'CANCELED', 'ERROR', 'HALTED', 'INTERRUPTED']);
/** The step is DONE all the same: the model's answer was cut off between the model and the agent. */
const cutReasons: ReadonlySet<string> = new Set(['CLIENT_STREAM_ERROR', 'ERROR', 'INCOMPLETE']);

/** One entry of `steps`; null for an entry that is null or no object, which keeps its place. Reads loosely and never throws. */
export function readStep(value: unknown): CascadeStep | null {
  if (!isJsonObject(value)) return null;
  const metadata = readMessage(value['metadata']);
  const planner = readMessage(value['plannerResponse']);
  const kind = readKind(value, metadata);
  const status = readEnumSuffix(value['status'], 'CORTEX_STEP_STATUS_', stepStatuses);
  const stopReason = readEnumSuffix(planner['stopReason'], 'STOP_REASON_', stopReasons);
  const source = readMessage(metadata['sourceTrajectoryStepInfo']);
  return {
    kind,
    status,
    text: readStepText(value, kind),
    thinking: readText(planner['thinking']),
    signature: orNull(readText(planner['thinkingSignature']) || readText(planner['signature'])),
    stopReason: stopReason === 'UNSPECIFIED' ? null : stopReason,
    callsTools: readList(planner['toolCalls']).length > 0 || stopReason === 'FUNCTION_CALL',
    asksUser: status === 'WAITING' || (isJsonObject(value['requestedInteraction']) && activeStatuses.has(status)),
    model: orNull(readText(metadata['generatorModel'])),
    usage: kind === 'answer' ? toCallUsage(metadata['modelUsage']) : null,
    trajectoryId: orNull(readText(source['trajectoryId'])),
  };
}

/** It is still being worked on. */
export function isActiveStep({ status }: CascadeStep): boolean {
  return activeStatuses.has(status);
}

/** It was taken back or broken off: what it says is not part of the answer. */
export function isDeadStep({ status }: CascadeStep): boolean {
  return deadStatuses.has(status);
}

/** The model's answer ended before its end, although the step says DONE. */
export function isCutStep({ stopReason }: CascadeStep): boolean {
  return stopReason !== null && cutReasons.has(stopReason);
}

function readKind(step: JsonObject, metadata: JsonObject): StepKind {
  const type = readEnumSuffix(step['type'], 'CORTEX_STEP_TYPE_', stepTypes);
  // A type that is left out or new still shows by its payload.
  if (type === 'PLANNER_RESPONSE' || (isNameless(type) && isJsonObject(step['plannerResponse']))) return 'answer';
  if (type === 'NOTIFY_USER' || (isNameless(type) && isJsonObject(step['notifyUser']))) return 'notice';
  if (type === 'ERROR_MESSAGE' || (isNameless(type) && isJsonObject(step['errorMessage']))) return 'error';
  return toolTypes.has(type) || isJsonObject(metadata['toolCall']) ? 'tool' : 'other';
}

function isNameless(type: string): boolean {
  return type === 'UNSPECIFIED' || type === 'UNKNOWN';
}

function readStepText(step: JsonObject, kind: StepKind): string {
  switch (kind) {
    case 'answer': {
      const planner = readMessage(step['plannerResponse']);
      return readText(planner['modifiedResponse']) || readText(planner['response']);
    }
    case 'notice':
      return readText(readMessage(step['notifyUser'])['notificationContent']);
    case 'error':
      return readErrorText(readMessage(step['errorMessage'])['error']);
    default:
      return '';
  }
}

/** What the server wrote for users first. */
function readErrorText(error: unknown): string {
  const { userErrorMessage, shortError, modelErrorMessage, details } = readMessage(error);
  return [userErrorMessage, shortError, modelErrorMessage, details].map(readText).find((text) => text.trim() !== '') ?? '';
}

function orNull(text: string): string | null {
  return text === '' ? null : text;
}
