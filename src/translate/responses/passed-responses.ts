import { isJsonObject } from '../../lib/json.ts';
import type { Stage } from '../../lib/stage.ts';
import type { TurnEvent } from '../../model/model-event.ts';
import type { ShownStream } from '../../model/shown-stream.ts';
import type { ResponsesTurnStage } from './from-responses-chunks.ts';
import { ShownLedger } from './shown-ledger.ts';

/** A stage whose answer may go on as it is, up to the first event that breaks a rule (the contract of `backends/upstream/turn-stage`). */
export interface PassedResponsesStage extends Stage<unknown, TurnEvent> {
  readonly settled: boolean;
  /** So many events, which differ from it only in what they say, are told together with the one that is pushed next. */
  skip(events: number): void;
  readonly progress: {
    /** What was shown of the stream so far. */
    readonly shown: ShownStream;
    /** How many events may go on. */
    readonly passed: number;
    /** An event, or the whole body, has broken a rule. */
    readonly isBroken: boolean;
  };
}

/** Reads along an answer of the Responses API that goes on to its client as it is; `native-break` stands in front of the event with which that has to end. */
export function passResponses(stage: ResponsesTurnStage, { isStream }: { readonly isStream: boolean }): PassedResponsesStage {
  const shown = new ShownLedger();
  const progress = { shown, passed: 0, isBroken: false };
  let skipped = 0;

  function push(chunk: unknown): readonly TurnEvent[] {
    const events = stage.push(chunk);
    if (progress.isBroken) return events;
    progress.isBroken = stage.faults > 0 || (isStream && (!isPlain(chunk) || (shown.isCut && isBeginning(chunk))));
    if (progress.isBroken) return [{ type: 'native-break' }, ...events];
    progress.passed += 1 + skipped;
    shown.skip(skipped);
    skipped = 0;
    if (isJsonObject(chunk)) shown.push(chunk);
    return events;
  }

  return {
    push,
    end: () => stage.end(),
    skip: (events) => {
      skipped = events;
      stage.skip(events);
    },
    get settled() {
      return stage.settled;
    },
    progress,
  };
}

/** An `error` event, or an object without a type, is no end that every client knows: ours is `response.failed`. Half a character is no text for a strict parser. */
function isPlain(chunk: unknown): boolean {
  if (!isJsonObject(chunk) || typeof chunk['type'] !== 'string' || chunk['type'] === 'error') return false;
  const { delta } = chunk;
  return typeof delta !== 'string' || !endsInside(delta);
}

function endsInside(text: string): boolean {
  const last = text.charCodeAt(text.length - 1);
  return last >= 0xd800 && last <= 0xdbff;
}

function isBeginning(chunk: unknown): boolean {
  return isJsonObject(chunk) && chunk['type'] === 'response.output_item.added';
}
