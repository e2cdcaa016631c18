import type { AnswerStage } from '../../src/tap/model-call.ts';

/** A stage that writes down what happens to it. */
export interface RecordingStage extends AnswerStage {
  /** `begin 200`, `push {"a":1}`, `fail 429 …`, `end`, `break`, in order. */
  readonly log: readonly string[];
  /** Resolves when the stage is over. */
  readonly over: Promise<void>;
}

/** `change`: what `push` answers; nothing is changed without it. `more`: what `end` adds. */
export function createRecordingStage(
  change: (value: unknown) => unknown = () => undefined,
  more: readonly unknown[] = [],
): RecordingStage {
  const log: string[] = [];
  let finish: () => void = () => undefined;
  const over = new Promise<void>((resolve) => (finish = resolve));
  return {
    log,
    over,
    begin: (status) => log.push(`begin ${String(status)}`),
    push({ value }) {
      log.push(`push ${value === undefined ? 'nothing' : JSON.stringify(value)}`);
      return change(value);
    },
    fail: (status, headers, body) => log.push(`fail ${String(status)} ${headers['content-type'] ?? ''} ${body}`),
    end() {
      log.push('end');
      finish();
      return more;
    },
    break() {
      log.push('break');
      finish();
    },
  };
}
