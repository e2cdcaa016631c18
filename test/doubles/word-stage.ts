import type { TurnStage } from '../../src/backends/upstream/turn-stage.ts';
import { isJsonObject } from '../../src/lib/json.ts';
import { GatewayError } from '../../src/model/errors.ts';
import type { ModelEvent } from '../../src/model/model-event.ts';

export interface WordStage extends TurnStage {
  /** What was pushed. */
  readonly chunks: readonly unknown[];
  readonly ends: number;
}

/** The smallest protocol: `{"text":"…"}`, `{"stop":true}` (usage may follow), `{"usage":7}`, `{"error":"…"}`, `{"throw":"…"}`. */
export function createWordStage(): WordStage {
  const chunks: unknown[] = [];
  let settled = false;
  let ends = 0;

  function push(chunk: unknown): ModelEvent[] {
    chunks.push(chunk);
    if (!isJsonObject(chunk)) return [];
    if (typeof chunk['throw'] === 'string') throw new Error(chunk['throw']);
    if (chunk['error'] !== undefined)
      return [{ type: 'failure', error: new GatewayError('upstream_overloaded', JSON.stringify(chunk['error'])) }];
    if (chunk['stop'] === true) settled = true;
    if (typeof chunk['usage'] === 'number') return [{ type: 'usage', usage: { outputTokens: chunk['usage'] } }];
    return typeof chunk['text'] === 'string' ? [{ type: 'text-delta', delta: chunk['text'] }] : [];
  }

  return {
    chunks,
    get settled() {
      return settled;
    },
    get ends() {
      return ends;
    },
    push,
    end() {
      ends++;
      if (settled) return [{ type: 'finish', reason: 'stop' }];
      return [{ type: 'failure', error: new GatewayError('upstream_truncated', 'no stop') }];
    },
  };
}
