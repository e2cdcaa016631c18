import { isJsonObject, parseJson } from '../lib/json.ts';
import { GatewayError, type ErrorCode } from '../model/errors.ts';
import type { ModelEvent } from '../model/model-event.ts';

/** Everything a response builder is fed: what the model did, and the moments at which we kept an idle client awake. */
export type BuilderInput = ModelEvent | { readonly type: 'keep-alive' };

type DeltaEvent = Extract<BuilderInput, { readonly delta: string }>;

/**
 * The builder is deterministic, so its input is enough to send the same events with the same numbers again (`GET …?stream=true&starting_after=N`). A delta that continues the
 * one before it is stored as a bare string: most of a log is text.
 */
export function encodeEventLog(inputs: readonly BuilderInput[]): string {
  const log: unknown[] = [];
  let last: DeltaEvent | undefined;
  for (const input of inputs) {
    const delta = isPlainDelta(input) ? input : undefined;
    log.push(delta !== undefined && last !== undefined && continues(delta, last) ? delta.delta : toStored(input));
    last = delta;
  }
  return JSON.stringify(log);
}

/** The inputs of a log that `encodeEventLog` wrote. */
export function decodeEventLog(text: string): BuilderInput[] {
  const log = parseJson(text);
  const inputs: BuilderInput[] = [];
  let last: DeltaEvent | undefined;
  for (const entry of Array.isArray(log) ? log : []) {
    if (typeof entry === 'string') {
      if (last !== undefined) inputs.push({ ...last, delta: entry });
      continue;
    }
    const input = fromStored(entry);
    inputs.push(input);
    last = isPlainDelta(input) ? input : undefined;
  }
  return inputs;
}

function isPlainDelta(input: BuilderInput): input is DeltaEvent {
  return 'delta' in input && !('logprobs' in input);
}

function continues(delta: DeltaEvent, last: DeltaEvent): boolean {
  if (delta.type !== last.type) return false;
  return delta.type !== 'call-delta' || (last.type === 'call-delta' && delta.callId === last.callId);
}

function toStored(input: BuilderInput): unknown {
  if (input.type !== 'failure') return input;
  const { code, message, param } = input.error;
  return { type: 'failure', code, message, param };
}

function fromStored(entry: unknown): BuilderInput {
  if (isJsonObject(entry) && entry['type'] === 'failure') {
    // Our own row: the code was an ErrorCode when it was written.
    const code = entry['code'] as ErrorCode;
    const param = entry['param'];
    return {
      type: 'failure',
      error: new GatewayError(code, String(entry['message']), typeof param === 'string' ? { param } : {}),
    };
  }
  // Our own row, written by toStored: everything but failures is stored as it is.
  return entry as BuilderInput;
}
