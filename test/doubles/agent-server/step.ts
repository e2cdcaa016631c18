/** A step as the server keeps it: everything is there, also zero values; `to-wire.ts` writes it. */
export interface Step {
  /** Without `CORTEX_STEP_TYPE_`. */
  readonly type: string;
  /** Without `CORTEX_STEP_STATUS_`. */
  status: StepStatus;
  readonly metadata: Record<string, unknown>;
  /** The member with the payload, and what is in it. */
  readonly key: string;
  readonly payload: Record<string, unknown>;
  requestedInteraction?: Record<string, unknown>;
}

export type StepStatus = 'PENDING' | 'RUNNING' | 'DONE' | 'CANCELED' | 'ERROR' | 'GENERATING' | 'WAITING';

/** The usage of one model call; the wire has 64-bit integers as strings. */
export interface StepUsage {
  readonly model: string;
  readonly input: number;
  readonly output: number;
  readonly thinking: number;
  readonly cached: number;
}

/** A step of that type, with its payload under the camelCase of the type's name. */
export function createStep(type: string, status: StepStatus, payload: Record<string, unknown>, source = 'MODEL'): Step {
  const key = type.toLowerCase().replaceAll(/_([a-z])/g, (_, letter: string) => letter.toUpperCase());
  const metadata = { createdAt: new Date().toISOString(), source: `CORTEX_STEP_SOURCE_${source}` };
  return { type, status, metadata, key, payload };
}

export function createUserStep(text: string): Step {
  return createStep('USER_INPUT', 'DONE', { items: [{ text }], userResponse: text }, 'USER_EXPLICIT');
}

export function createPlannerStep(enumName: string, messageId: string): Step {
  const step = createStep('PLANNER_RESPONSE', 'PENDING', { messageId, thinkingRedacted: false });
  step.metadata['generatorModel'] = enumName;
  return step;
}

export function createErrorStep(
  status: StepStatus,
  error: { readonly user: string; readonly model: string; readonly code: number },
): Step {
  const { user, model, code } = error;
  const words = { userErrorMessage: user, modelErrorMessage: model, shortError: user, details: model, errorCode: code };
  return createStep('ERROR_MESSAGE', status, { error: words });
}

/** `metadata.modelUsage`, also found in the generator metadata. */
export function usageMessage({ model, input, output, thinking, cached }: StepUsage): Record<string, unknown> {
  return {
    model,
    inputTokens: String(input),
    outputTokens: String(output),
    thinkingOutputTokens: String(thinking),
    responseOutputTokens: String(output - thinking),
    cacheReadTokens: String(cached),
    cacheWriteTokens: '0',
  };
}
