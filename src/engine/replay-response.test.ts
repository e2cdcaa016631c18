import fc from 'fast-check';
import { expect, test } from 'vitest';
import { counterId } from '../../test/counter-id.ts';
import { anyTurn } from '../../test/doubles/model-events.ts';
import { newTestResponse } from '../../test/doubles/new-test-response.ts';
import { encodeEventLog } from './model-event-log.ts';
import { replayResponse } from './replay-response.ts';
import { ResponseBuilder } from './response-builder.ts';

/** What was streamed, and what the store would keep of it. */
function record(batches: Parameters<ResponseBuilder['push']>[0][], showsState: boolean) {
  const states: Record<string, string> = {};
  const builder = new ResponseBuilder(newTestResponse(), {
    newId: counterId(),
    completedAt: () => 200,
    seal: (id) => {
      states[id] = `sealed ${id}`;
      return showsState ? states[id] : undefined;
    },
  });
  const streamed = [...builder.begin(), ...batches.flatMap((batch) => builder.push(batch)), ...builder.end()];
  const stored = {
    ...{ id: 'resp_test', owner: 'local', createdAt: 100, previousResponseId: null, conversation: null, input: [], losses: [] },
    ...{ response: builder.response, states, events: encodeEventLog(batches.flat()) },
  };
  return { streamed, stored };
}

test('a replay is the stream that was, for every starting_after', () => {
  let tried = 0;
  fc.assert(
    fc.property(anyTurn, fc.boolean(), (batches, showsState) => {
      const { streamed, stored } = record(batches, showsState);
      expect(JSON.stringify(replayResponse(stored, null))).toBe(JSON.stringify(streamed));
      for (let after = 0; after < streamed.length; after++) {
        tried++;
        expect(replayResponse(stored, after).length).toBe(streamed.length - after - 1);
      }
    }),
    { numRuns: 500 },
  );
  console.log(`replay: 0 bad / ${String(tried)} tried`);
});

test('a log keeps continued text as bare strings', () => {
  const log = encodeEventLog([
    { type: 'text-delta', delta: 'a' },
    { type: 'text-delta', delta: 'b' },
    { type: 'finish', reason: 'stop' },
  ]);
  expect(log).toBe('[{"type":"text-delta","delta":"a"},"b",{"type":"finish","reason":"stop"}]');
});
