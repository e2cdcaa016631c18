import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { createToolNames } from '../tool-names.ts';
import { counterId } from '../../../test/counter-id.ts';
import { checkModelEvents } from '../../../test/check-model-events.ts';
import { brokenStreams, goodStream } from '../../../test/doubles/broken-streams.ts';
import { anyTurn } from '../../../test/doubles/model-events.ts';
import { newTestResponse } from '../../../test/doubles/new-test-response.ts';
import { eventFrames } from '../../../test/doubles/responses-events.ts';
import { EventStreamStage } from '../../backends/upstream/event-stream-stage.ts';
import type { BuilderInput } from '../../engine/model-event-log.ts';
import { ResponseBuilder } from '../../engine/response-builder.ts';
import type { ModelEvent } from '../../model/model-event.ts';
import type { ReasoningState } from '../../model/reasoning-state.ts';
import type { ResponseEvent } from '../../protocol/responses/event.ts';
import type { OutputItem } from '../../protocol/responses/items.ts';
import type { ResponseResource } from '../../protocol/responses/response.ts';
import { fromResponsesChunks, type ResponsesTurnStage } from './from-responses-chunks.ts';
import { EventLinter } from './lint/event-linter.ts';

function newStage(): ResponsesTurnStage {
  const rule = { pattern: /./, maxLength: 64 };
  return fromResponsesChunks({
    newId: counterId(),
    model: 'm',
    toolNames: createToolNames([], rule),
    customTools: new Set(),
    wantsLogprobs: false,
  });
}

function build(
  batches: readonly (readonly BuilderInput[])[],
  seal: (states: readonly ReasoningState[]) => string,
): { events: ResponseEvent[]; response: ResponseResource } {
  const builder = new ResponseBuilder(newTestResponse(), {
    newId: counterId(),
    completedAt: () => 200,
    seal: (_id, states) => seal(states),
  });
  const events = [...builder.begin(), ...batches.flatMap((batch) => builder.push(batch)), ...builder.end()];
  return { events: JSON.parse(JSON.stringify(events)) as ResponseEvent[], response: builder.response };
}

/** Until the stage is done, as the reader of a stream does it. */
function read(chunks: readonly unknown[]): ModelEvent[] {
  const stage = newStage();
  const events: ModelEvent[] = [];
  for (const chunk of chunks) if (!stage.settled) events.push(...stage.push(chunk));
  return stage.settled ? events : [...events, ...stage.end()];
}

/** What a client can see of the output, without the ids, the status where it says nothing of its own, and messages that say nothing. */
function visible(output: readonly OutputItem[]): unknown {
  const speaking = output.filter(
    (item) => item.type !== 'message' || item.content.some((part) => part.type !== 'output_text' || part.text !== ''),
  );
  const bare = speaking.map((item) => ({
    ...item,
    id: '',
    call_id: '',
    status: item.type === 'function_call' ? item.status : '',
  }));
  return JSON.parse(JSON.stringify(bare));
}

/** A server says nothing with an empty delta, and our reader passes it over: only what says something comes back. */
const speakingTurn = anyTurn.map((batches) =>
  batches.map((batch) => batch.filter((event) => !('delta' in event) || event.delta !== '')),
);

describe('our own stream, read as that of another server', () => {
  test('has no fault, and gives the same response', () => {
    let bad = 0;
    fc.assert(
      fc.property(speakingTurn, (batches) => {
        const first = build(batches, () => 'sealed');
        for (const mode of ['own', 'wire'] as const) {
          const linter = new EventLinter(mode);
          const faults = [...first.events.flatMap((event) => linter.push(event)), ...linter.end()];
          bad += faults.length;
          expect(faults).toEqual([]);
        }
        const events = read(first.events);
        expect(checkModelEvents(events)).toEqual([]);
        expect(events.filter(({ type }) => type === 'loss')).toEqual([]);
        const second = build([events], () => 'sealed').response;
        expect(visible(second.output)).toEqual(visible(first.response.output));
        expect([second.status, second.incomplete_details]).toEqual([first.response.status, first.response.incomplete_details]);
        if (first.response.usage !== null) expect(second.usage).toEqual(first.response.usage);
      }),
      { numRuns: 1000 },
    );
    console.log(`our own streams: ${String(bad)} faults / 1000 streams`);
  });

  test('and so does its last response alone, as an unstreamed answer', () => {
    fc.assert(
      fc.property(speakingTurn, (batches) => {
        const first = build(batches, () => 'sealed').response;
        const events = read([JSON.parse(JSON.stringify(first))]);
        expect(checkModelEvents(events)).toEqual([]);
        const second = build([events], () => 'sealed').response;
        expect(second.status).toBe(first.status);
        if (first.status !== 'failed') expect(visible(second.output)).toEqual(visible(first.output));
      }),
      { numRuns: 300 },
    );
  });
});

describe('a stream in any pieces', () => {
  const bytes = new TextEncoder().encode(eventFrames(goodStream()));
  const cuts = fc.array(fc.nat(bytes.length), { maxLength: 12 });

  test('gives the same events', () => {
    const wanted = read(goodStream());
    fc.assert(
      fc.property(cuts, (places) => {
        const stage = new EventStreamStage(newStage(), 1 << 20);
        const edges = [0, ...places.toSorted((a, b) => a - b), bytes.length];
        const events = edges.slice(1).flatMap((end, at) => (stage.isOver ? [] : stage.push(bytes.subarray(edges[at], end))));
        expect(events).toEqual(wanted);
      }),
    );
  });
});

test('whatever is missing, doubled or in another place: the events keep their rules, and the answer builds a clean stream', () => {
  const streams = [goodStream(), ...brokenStreams.map(({ plant }) => plant(goodStream()))];
  const places = fc.array(fc.tuple(fc.constantFrom('drop', 'double', 'move'), fc.nat(30), fc.nat(30)), { maxLength: 6 });
  fc.assert(
    fc.property(fc.constantFrom(...streams), places, (stream, changes) => {
      let chunks: unknown[] = [...stream];
      for (const [kind, at, to] of changes) {
        const [chunk] = chunks.slice(at, at + 1);
        if (kind === 'drop') chunks = chunks.toSpliced(at, 1);
        else chunks = chunks.toSpliced(at, kind === 'move' ? 1 : 0).toSpliced(to, 0, chunk);
      }
      const events = read(chunks);
      expect(checkModelEvents(events)).toEqual([]);
      const linter = new EventLinter('own');
      const built = build([events], () => 'sealed').events;
      expect([...built.flatMap((event) => linter.push(event)), ...linter.end()]).toEqual([]);
    }),
    { numRuns: 2000 },
  );
});
