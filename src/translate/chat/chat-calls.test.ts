import { describe, expect, test } from 'vitest';
import { counterId } from '../../../test/counter-id.ts';
import type { ModelEvent } from '../../model/model-event.ts';
import { createToolNames } from '../tool-names.ts';
import { createChatProfile } from './chat-profile.ts';
import { fromChatChunks } from './from-chat-chunks.ts';

function play(...chunks: readonly unknown[]): ModelEvent[] {
  const profile = createChatProfile({ baseUrl: 'https://example.com/v1' });
  const toolNames = createToolNames(['get'], profile.toolNameRule);
  const stage = fromChatChunks({ newId: counterId(), model: 'm', profile, toolNames });
  return [...chunks.flatMap((chunk) => stage.push(chunk)), ...stage.end()];
}

const callIdsOf = (events: readonly ModelEvent[]): string[] =>
  events.flatMap((event) => ('callId' in event ? [`${event.type} ${event.callId}`] : []));

const delta = (id: string, text: string): unknown => ({
  choices: [{ delta: { tool_calls: [{ index: 0, id, function: { name: 'get', arguments: text } }] } }],
});
const finish = { choices: [{ delta: {}, finish_reason: 'tool_calls' }] };

describe('a client gets only ids that it may send back', () => {
  const longest = 'i'.repeat(64);

  test.each([
    ['64 characters', longest, longest],
    ['65 characters', `${longest}i`, 'call_1'],
    ['none', '', 'call_1'],
  ])('streamed, %s', (_, id, expected) => {
    const events = play(delta(id, '{"a"'), delta(id, ':1}'), finish);
    expect(callIdsOf(events)).toEqual(
      ['call-start', 'call-delta', 'call-delta', 'call-end'].map((type) => `${type} ${expected}`),
    );
  });

  test('whole, two long ids', () => {
    const entry = (id: string): unknown => ({ id, type: 'function', function: { name: 'get', arguments: '{}' } });
    const message = { tool_calls: [entry('a'.repeat(200)), entry('b'.repeat(200))] };
    const starts = callIdsOf(play({ choices: [{ message, finish_reason: 'tool_calls' }] }));
    expect(starts.filter((line) => line.startsWith('call-start'))).toEqual(['call-start call_1', 'call-start call_2']);
  });
});
