import { isJsonObject } from '../../lib/json.ts';
import type { AnswerStage } from '../model-call.ts';
import { innerChunk, partsOf } from './client-calls.ts';

/** Hears of one sub-request; `close` is called exactly once, after `report`. */
export interface ThoughtSink {
  /** The thinking text of an answer that ended well; never empty. */
  report(text: string): void;
  close(): void;
}

/** Reads along with the answer of a sub-request and keeps its `thought: true` texts. Every frame goes on as it is. */
export function collectThoughts(sink: ThoughtSink): AnswerStage {
  let text = '';
  let isOpen = true;
  let hasSucceeded = false;
  function close(): void {
    if (isOpen) sink.close();
    isOpen = false;
  }
  return {
    begin(status) {
      hasSucceeded = status >= 200 && status < 300;
    },
    push({ value }) {
      for (const chunk of Array.isArray(value) ? (value as readonly unknown[]) : [value]) {
        if (isJsonObject(chunk)) text += partsOf(innerChunk(chunk)).map(thoughtOf).join('');
      }
      return undefined;
    },
    fail: close,
    end() {
      if (isOpen && hasSucceeded && text !== '') sink.report(text);
      close();
      return [];
    },
    break: close,
  };
}

function thoughtOf(part: unknown): string {
  return isJsonObject(part) && part['thought'] === true && typeof part['text'] === 'string' ? part['text'] : '';
}
