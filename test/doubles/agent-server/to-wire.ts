import type { AgentQuirks } from './quirks.ts';
import type { Step } from './step.ts';

/** Numbers of the enum members that backends.md gives. */
const numbers: Readonly<Record<string, number>> = {
  CASCADE_RUN_STATUS_IDLE: 1,
  CASCADE_RUN_STATUS_RUNNING: 2,
  CASCADE_RUN_STATUS_CANCELING: 3,
  CASCADE_RUN_STATUS_BUSY: 4,
  CORTEX_STEP_STATUS_PENDING: 1,
  CORTEX_STEP_STATUS_RUNNING: 2,
  CORTEX_STEP_STATUS_DONE: 3,
  CORTEX_STEP_STATUS_CANCELED: 6,
  CORTEX_STEP_STATUS_ERROR: 7,
  CORTEX_STEP_STATUS_GENERATING: 8,
  CORTEX_STEP_STATUS_WAITING: 9,
  CORTEX_STEP_TYPE_VIEW_FILE: 8,
  CORTEX_STEP_TYPE_LIST_DIRECTORY: 9,
  CORTEX_STEP_TYPE_USER_INPUT: 14,
  CORTEX_STEP_TYPE_PLANNER_RESPONSE: 15,
  CORTEX_STEP_TYPE_ERROR_MESSAGE: 17,
  CORTEX_STEP_TYPE_RUN_COMMAND: 21,
  CORTEX_STEP_TYPE_CHECKPOINT: 23,
  CORTEX_STEP_TYPE_CONVERSATION_HISTORY: 98,
  STOP_REASON_INCOMPLETE: 1,
  STOP_REASON_STOP_PATTERN: 2,
  STOP_REASON_MAX_TOKENS: 3,
  STOP_REASON_FUNCTION_CALL: 10,
  STOP_REASON_ERROR: 13,
};

const prefix = /^(?:CASCADE_RUN_STATUS|CORTEX_STEP_STATUS|CORTEX_STEP_TYPE|STOP_REASON)_/;
const enumFields = new Set(['type', 'status', 'updatedStatus', 'stopReason', 'executableStatus', 'executorLoopStatus']);
/** 64-bit integers: strings, whose zero is `"0"`. */
const longFields = /Tokens$/;

type WireQuirks = Pick<AgentQuirks, 'omitZeros' | 'enums'>;

/** A message as protojson writes it: enum names (or what the quirk wants), zero values left out. */
export function toWire(message: Readonly<Record<string, unknown>>, quirks: WireQuirks): Record<string, unknown> {
  const entries = Object.entries(message).flatMap(([name, value]): [string, unknown][] => {
    if (value === undefined || (quirks.omitZeros && isZero(name, value))) return [];
    return [[name, toWireValue(name, value, quirks)]];
  });
  return Object.fromEntries(entries);
}

function toWireValue(name: string, value: unknown, quirks: WireQuirks): unknown {
  if (Array.isArray(value)) return value.map((inner) => toWireValue(name, inner, quirks));
  if (typeof value === 'object' && value !== null) return toWire(value as Record<string, unknown>, quirks);
  if (typeof value !== 'string' || !enumFields.has(name) || !prefix.test(value)) return value;
  if (quirks.enums === 'numbers') return numbers[value] ?? value;
  return quirks.enums === 'bare' ? value.replace(prefix, '') : value;
}

function isZero(name: string, value: unknown): boolean {
  if (value === '' || value === 0 || value === false) return true;
  if (value === '0') return longFields.test(name);
  return Array.isArray(value) && value.length === 0;
}

export interface StepPlace {
  readonly trajectoryId: string;
  readonly cascadeId: string;
  readonly stepIndex: number;
}

/** Null stays null: it keeps its place among the steps. */
export function stepToWire(step: Step | null, place: StepPlace, quirks: WireQuirks): unknown {
  if (step === null) return null;
  return toWire(
    {
      type: `CORTEX_STEP_TYPE_${step.type}`,
      status: `CORTEX_STEP_STATUS_${step.status}`,
      metadata: { ...step.metadata, sourceTrajectoryStepInfo: { ...place } },
      [step.key]: step.payload,
      requestedInteraction: step.requestedInteraction,
    },
    quirks,
  );
}
