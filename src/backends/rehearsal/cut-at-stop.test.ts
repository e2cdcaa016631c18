import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { drainTurn, plainRequest, textOf } from '../../../test/backend-suite.ts';
import { checkModelEvents } from '../../../test/check-model-events.ts';
import { counterId } from '../../../test/counter-id.ts';
import { countTextTokens } from '../../lib/count-text-tokens.ts';
import type { ModelEvent } from '../../model/model-event.ts';
import type { ModelRequest } from '../../model/model-request.ts';
import { createRehearsalBackend } from './create-rehearsal-backend.ts';

async function ask(model: string, change: Partial<ModelRequest>): Promise<readonly ModelEvent[]> {
  const backend = createRehearsalBackend({ newId: counterId(), countTextTokens, wait: () => Promise.resolve() });
  const events = await drainTurn(backend.prepareTurn(plainRequest(model, 'one two three', change)));
  expect(checkModelEvents(events)).toEqual([]);
  return events;
}

const stopsOf = (events: readonly ModelEvent[]) =>
  events.flatMap((event) => (event.type === 'stop-sequence' ? [event.sequence] : []));

describe('an answer', () => {
  test('ends before a text that shall end it, and says which one it was', async () => {
    const events = await ask('default', { stop: ['never', 'three', 'o three'] });
    expect(textOf(events)).toBe('You said: "one tw');
    expect(stopsOf(events)).toEqual(['o three']);
    expect(events.slice(-3).map(({ type }) => type)).toEqual(['stop-sequence', 'usage', 'finish']);
    expect(events.at(-1)).toEqual({ type: 'finish', reason: 'stop' });
  });

  test('is whole where none of them stands in it', async () => {
    const events = await ask('default', { stop: ['never'], seed: 5 });
    expect(events).toEqual(await ask('default', {}));
  });

  test('has tokens that are its text, also where one is cut', async () => {
    const events = await ask('default', { stop: ['wo'], topLogprobs: 2 });
    const tokens = events.flatMap((event) =>
      event.type === 'text-delta' ? (event.logprobs ?? []).map(({ token }) => token) : [],
    );
    expect(tokens.join('')).toBe(textOf(events));
    expect(textOf(events)).toBe('You said: "one t');
  });

  test('loses the sources of what is not said', async () => {
    const events = await ask('citations', { stop: [' The second'] });
    expect(events.filter(({ type }) => type === 'annotation')).toHaveLength(1);
  });

  test('is cut at any place', async () => {
    const whole = textOf(await ask('default', {}));
    await fc.assert(
      fc.asyncProperty(fc.nat(whole.length - 1), fc.integer({ min: 1, max: 9 }), async (at, length) => {
        const sequence = whole.slice(at, at + length);
        const events = await ask('default', { stop: [sequence] });
        expect(textOf(events)).toBe(whole.slice(0, whole.indexOf(sequence)));
        expect(stopsOf(events)).toEqual([sequence]);
      }),
    );
  });
});

test('calls are not cut', async () => {
  const tools = [{ name: 'get', description: null, parameters: null, strict: false, path: 'tools[0]' }];
  const events = await ask('default', { tools, toolChoice: { type: 'required' }, stop: ['{', 'get'] });
  expect(stopsOf(events)).toEqual([]);
  expect(events.map(({ type }) => type)).toContain('call-end');
});
