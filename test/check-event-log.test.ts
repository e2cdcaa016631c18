import { describe, expect, test } from 'vitest';
import { ResponseBuilder } from '../src/engine/response-builder.ts';
import type { ModelEvent } from '../src/model/model-event.ts';
import { checkEventLog } from './check-event-log.ts';
import { counterId } from './counter-id.ts';
import { newTestResponse } from './doubles/new-test-response.ts';

/** A log with one of everything. */
function goodLog(): Record<string, unknown>[] {
  const events: ModelEvent[] = [
    { type: 'reasoning-delta', delta: 'hm' },
    { type: 'text-delta', delta: 'Hello' },
    { type: 'text-delta', delta: ' there' },
    { type: 'annotation', annotation: { url: 'https://example.org', title: 'E', startIndex: 0, endIndex: 5 } },
    { type: 'call-start', callId: 'call_1', name: 'get_weather' },
    { type: 'call-delta', callId: 'call_1', delta: '{"city":' },
    { type: 'call-delta', callId: 'call_1', delta: '"Oslo"}' },
    { type: 'call-end', callId: 'call_1' },
    { type: 'usage', usage: { inputTokens: 1, outputTokens: 2 } },
    { type: 'finish', reason: 'stop' },
  ];
  const builder = new ResponseBuilder(newTestResponse(), { newId: counterId(), completedAt: () => 200, seal: () => undefined });
  const log = [...builder.begin(), ...builder.push(events), ...builder.end()];
  return JSON.parse(JSON.stringify(log)) as Record<string, unknown>[];
}

type Log = Record<string, unknown>[];

function at(log: Log, type: string): Record<string, unknown> {
  const found = log.find((event) => event['type'] === `response.${type}`);
  if (found === undefined) throw new Error(`no ${type} in the log`);
  return found;
}

function without(log: Log, type: string): Log {
  const rest = log.filter((event) => event !== at(log, type));
  return rest.map((event, number) => ({ ...event, sequence_number: number }));
}

function terminal(log: Log): Record<string, unknown> {
  return at(log, 'completed')['response'] as Record<string, unknown>;
}

/** One planted mistake each: name, and what it does to a good log. */
const mistakes: readonly [string, (log: Log) => Log | undefined][] = [
  ['no terminal event', (log) => log.slice(0, -1)],
  ['two terminal events', (log) => [...log, { ...log.at(-1), sequence_number: log.length }]],
  ['an event after the end', (log) => [...log, { ...at(log, 'output_text.delta'), sequence_number: log.length }]],
  ['a gap in the numbers', (log) => void (at(log, 'output_text.delta')['sequence_number'] = 99)],
  ['in_progress missing', (log) => without(log, 'in_progress')],
  ['created missing', (log) => without(log, 'created')],
  ['item never added', (log) => without(log, 'output_item.added')],
  ['item never done', (log) => without(log, 'output_item.done')],
  ['content part never added', (log) => without(log, 'content_part.added')],
  ['content part never done', (log) => without(log, 'content_part.done')],
  ['text-level done missing', (log) => without(log, 'output_text.done')],
  ['summary part never added', (log) => without(log, 'reasoning_summary_part.added')],
  ['arguments.done missing', (log) => without(log, 'function_call_arguments.done')],
  ['a lost delta', (log) => without(log, 'output_text.delta')],
  ['a lost piece of arguments', (log) => without(log, 'function_call_arguments.delta')],
  ['a lost annotation', (log) => without(log, 'output_text.annotation.added')],
  ['another item_id', (log) => void (at(log, 'output_text.delta')['item_id'] = 'msg_other')],
  ['no item_id', (log) => void Reflect.deleteProperty(at(log, 'content_part.added'), 'item_id')],
  ['another output_index', (log) => void (at(log, 'output_text.delta')['output_index'] = 0)],
  ['another content_index', (log) => void (at(log, 'output_text.delta')['content_index'] = 1)],
  ['a re-used output_index', (log) => void (at(log, 'output_item.added')['output_index'] = 1)],
  ['an item id that changes', (log) => void ((at(log, 'output_item.done')['item'] as { id: string }).id = 'rs_other')],
  ['an unknown event', (log) => void (at(log, 'output_text.delta')['type'] = 'antiphon.output_text.delta')],
  ['arguments.done without name', (log) => void Reflect.deleteProperty(at(log, 'function_call_arguments.done'), 'name')],
  ['a response id that changes', (log) => void (terminal(log)['id'] = 'resp_other')],
  ['usage missing', (log) => void (terminal(log)['usage'] = null)],
  ['usage not a number', (log) => void ((terminal(log)['usage'] as { input_tokens: unknown }).input_tokens = '1')],
  ['final output misses an item', (log) => void (terminal(log)['output'] as unknown[]).pop()],
  ['completed with an error', (log) => void (terminal(log)['error'] = { code: 'x', message: 'x', type: 'x' })],
  ['incomplete called completed', (log) => void (terminal(log)['incomplete_details'] = { reason: 'timeout' })],
];

describe('the grammar oracle', () => {
  test('passes a good log', () => {
    expect(checkEventLog(goodLog())).toEqual([]);
  });

  test.each(mistakes)('catches: %s', (_name, plant) => {
    const log = goodLog();
    expect(checkEventLog(plant(log) ?? log)).not.toEqual([]);
  });

  test('catches a completed call whose arguments are cut', () => {
    const log = goodLog().map(
      (event) => JSON.parse(JSON.stringify(event).replaceAll('\\"Oslo\\"}', '\\"Os')) as Record<string, unknown>,
    );
    expect(checkEventLog(log).join()).toContain('no JSON object');
  });
});
