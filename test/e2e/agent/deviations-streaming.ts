import { expect, test } from 'vitest';
import type { LogEvent } from '../../check-event-log/log-event.ts';
import { callIdsOf, deliveries, linesOf, toolNamed, ways, type DeviationBench, type Way } from './deviation-bench.ts';
import { checkIncrementalThinking, checkLogprobs, joinDeltas } from './deviation-checks.ts';

const summary = { effort: 'low', summary: 'auto' } as const;
const weather = toolNamed('get_weather');
const typesOf = (events: readonly LogEvent[]): string[] => events.map(({ type }) => type.replace('response.', ''));

/** Protocol.md §2, items 1 to 10: the shape of the stream. */
export function testStreaming(benchOf: (way: Way) => DeviationBench): void {
  test.each(deliveries)(
    '2.1 at the deadline the answer is incomplete, with what there is (stream %s, %s)',
    async (stream, way) => {
      const { ask, agent } = benchOf(way);
      const { body, status } = await ask({ input: '[[say One two three]] [[hold]]', stream, timeout: 4 });
      expect([status, body.status, body.incomplete_details]).toEqual([200, 'incomplete', { reason: 'timeout' }]);
      expect(linesOf({ body })).toEqual(['message "One two three"']);
      expect(body.output.at(-1)?.status).toBe('incomplete');
      expect(body.usage).not.toBeNull();
      const cascadeId = agent.cascades().at(-1)?.cascadeId;
      await agent.until(() => agent.cancelled.some((cancelled) => cancelled.cascadeId === cascadeId));
    },
  );

  test.each(ways)('2.1 at a deadline without anything to show the response has failed, %s', async (way) => {
    const { ask } = benchOf(way);
    const [streamed, synced] = await Promise.all(
      [true, false].map((stream) => ask({ input: '[[hold]] [[say never]]', stream, timeout: 3 })),
    );
    expect(streamed?.events.at(-1)?.type).toBe('response.failed');
    expect(streamed?.body.error).toMatchObject({ code: 'upstream_timeout', type: 'server_error' });
    expect([synced?.status, synced?.body.error?.code]).toEqual([504, 'upstream_timeout']);
  });

  test.each(ways)('2.2 every part and every delta names its item and has logprobs, %s', async (way) => {
    const { ask, client } = benchOf(way);
    const input = '[[think Hm]] [[say Hello to all of you]]';
    const { events } = await ask({ input, stream: true });
    expect(checkLogprobs(events)).toEqual([]);
    expect(events.filter(({ type, item_id: id }) => type.includes('_part.') && id === undefined)).toEqual([]);
    const final = await client.responses.stream({ model: 'agent/gemini-3-pro', input, reasoning: summary }).finalResponse();
    expect(final.output_text).toBe('Hello to all of you');
  });

  test.each(ways)('2.3 2.4 late thinking is a later item with all its events, and moves nobody, %s', async (way) => {
    const { ask, setQuirks } = benchOf(way);
    setQuirks({ lateThinking: true });
    const { events, body } = await ask({ input: '[[think-late I thought so]] [[say Yes]]', stream: true, reasoning: summary });
    expect(linesOf({ body })).toEqual(['message "Yes"', 'reasoning "I thought so"']);
    const added = events.filter(({ type }) => type === 'response.output_item.added');
    expect(added.map(({ item, output_index: at }) => [item?.id, at])).toEqual(body.output.map(({ id }, at) => [id, at]));
    const places = new Map(body.output.map(({ id }, at) => [id, at]));
    for (const event of events) {
      const id = event.item_id ?? event.item?.id;
      if (id !== undefined) expect(event.output_index).toBe(places.get(id));
    }
  });

  test.each(ways)('2.4 thinking at the end has the whole run of events before the terminal one, %s', async (way) => {
    const { ask, setQuirks } = benchOf(way);
    setQuirks({ lateThinking: true });
    const { events } = await ask({ input: '[[think-late Because]] [[say Yes]]', stream: true, reasoning: summary });
    const types = typesOf(events);
    const begin = types.indexOf('reasoning_summary_part.added');
    expect(types[begin - 1]).toBe('output_item.added');
    expect(new Set(types.slice(begin, -1))).toEqual(
      new Set([
        ...['reasoning_summary_part.added', 'reasoning_summary_text.delta', 'reasoning_summary_text.done'],
        ...['reasoning_summary_part.done', 'output_item.done'],
      ]),
    );
    expect(types.at(-1)).toBe('completed');
  });

  test.each(ways)('2.5 thinking streams while the model thinks, and what comes later is not lost, %s', async (way) => {
    const bench = benchOf(way);
    const first = 'First I look at the sea. ';
    const second = 'Then I look at the sky.';
    const events: LogEvent[] = [];
    const input = `[[think ${first}x]] [[hold]] [[think ${second}]] [[say Blue]]`;
    for await (const event of await bench.open({ input, reasoning: summary })) {
      const isFirstThought =
        event.type === 'response.reasoning_summary_text.delta' && joinDeltas(events, event.type).length === 0;
      events.push(event as unknown as LogEvent);
      if (!isFirstThought) continue;
      await bench.model.until(() => bench.model.held === 1);
      bench.model.release();
    }
    expect(checkIncrementalThinking(events, `${first}x${second}`)).toEqual([]);
  });

  test.each(['textShrinks', 'stepsShrink', 'rewriteAtDone'] as const)('2.6 no word is sent twice: %s', async (quirk) => {
    const { ask, setQuirks } = benchOf('without a tap');
    const text = 'Roses are red and violets are blue, sugar is sweet.';
    setQuirks({ [quirk]: true });
    const { events, body } = await ask({ input: `[[say ${text}]] [[pause 700]]`, stream: true });
    const texts = joinDeltas(events, 'response.output_text.delta');
    expect(linesOf({ body }).map((line) => line.replace(/^message /, ''))).toEqual(texts.map((sent) => `"${sent}"`));
    expect(texts.at(-1)).toBe(quirk === 'rewriteAtDone' ? `Edited: ${text}` : text);
    for (const sent of texts.slice(0, -1)) expect(text.startsWith(sent)).toBe(true);
    const synced = await ask({ input: `[[say ${text}]] [[pause 700]]` });
    expect(linesOf(synced)).toEqual([`message "${texts.at(-1) ?? ''}"`]);
  });

  test('2.6 where a tap is, the text is the model’s own whatever the agent server shows', async () => {
    const { ask, setQuirks } = benchOf('with a tap');
    setQuirks({ rewriteAtDone: true, textShrinks: true });
    const answer = await ask({ input: '[[say Roses are red and violets are blue, sugar is sweet.]]', stream: true });
    expect(linesOf(answer)).toEqual(['message "Roses are red and violets are blue, sugar is sweet."']);
  });

  test('2.7 function calls stream: added, arguments, done with the name, item done', async () => {
    const { ask } = benchOf('with a tap');
    const { events, body } = await ask({ input: '[[call get_weather {"city":"Oslo"}]]', stream: true, tools: [weather] });
    const [call] = body.output.filter(({ type }) => type === 'function_call');
    const ofCall = events.filter((event) => event.item_id === call?.id || event.item?.id === call?.id);
    expect([...new Set(typesOf(ofCall))]).toEqual([
      ...['output_item.added', 'function_call_arguments.delta', 'function_call_arguments.done', 'output_item.done'],
    ]);
    expect(ofCall.find(({ type }) => type.endsWith('arguments.done'))).toMatchObject({
      name: 'get_weather',
      arguments: '{"city":"Oslo"}',
    });
    expect(joinDeltas(events, 'response.function_call_arguments.delta')).toEqual(['{"city":"Oslo"}']);
  });

  test.each([true, false])('2.7 a turn of nothing but calls is completed (stream %s)', async (stream) => {
    const { ask } = benchOf('with a tap');
    const input = '[[call get_weather {"city":"A"}]] [[call get_weather {"city":"B"}]]';
    const answer = await ask({ input, stream, tools: [weather] });
    expect(answer.body.status).toBe('completed');
    expect(linesOf(answer)).toEqual(['call get_weather {"city":"A"}', 'call get_weather {"city":"B"}']);
    expect(new Set(callIdsOf(answer)).size).toBe(2);
  });

  test.each(ways)('2.7 a step of nothing but the agent’s own calls does not end the turn, nor hang it, %s', async (way) => {
    const answer = await benchOf(way).ask({ input: '[[call list_notes {}]] [[then]] [[say Two notes.]]', stream: true });
    expect([answer.body.status, ...linesOf(answer)]).toEqual(['completed', 'message "Two notes."']);
  });

  test.each([true, false])('2.8 thinking, text and call come in the model’s order (stream %s)', async (stream) => {
    const { ask } = benchOf('with a tap');
    const input = '[[think I need it]] [[say I will look.]] [[call get_weather {"city":"Oslo"}]]';
    const answer = await ask({ input, stream, tools: [weather], reasoning: summary });
    expect(linesOf(answer)).toEqual([...['reasoning "I need it"', 'message "I will look."', 'call get_weather {"city":"Oslo"}']]);
    const unfinished = answer.body.output.filter(({ type, status }) => type !== 'reasoning' && status !== 'completed');
    expect(unfinished).toEqual([]);
  });
}
