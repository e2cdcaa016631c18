import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { answerStep, growingStep, stepOf, userStep } from '../../../test/doubles/scripted-agent-server.ts';
import type { ModelEvent } from '../../model/model-event.ts';
import { createCascadeSteps } from './from-cascade-steps.ts';
import { readStep } from './read-step.ts';

type Snapshot = readonly unknown[];

function open(isStreamed = true) {
  const stage = createCascadeSteps({ model: 'one', isStreamed });
  return { stage, push: (steps: Snapshot) => stage.push(steps.map(readStep)) };
}

/** All events of a turn that shows these snapshots and ends well. */
function play(snapshots: readonly Snapshot[], isStreamed = true): readonly ModelEvent[] {
  const { stage, push } = open(isStreamed);
  return [...snapshots.flatMap(push), ...stage.end('all')];
}

/** Messages as a client puts them together; thinking in brackets. */
function told(events: readonly ModelEvent[]): readonly string[] {
  const items: string[] = [];
  let open = '';
  for (const event of events) {
    if (event.type === 'message-break') open = '';
    if (event.type !== 'text-delta' && event.type !== 'reasoning-delta') continue;
    if (open !== event.type) items.push(event.type === 'text-delta' ? '' : 'thinks: ');
    open = event.type;
    items.push((items.pop() ?? '') + event.delta);
  }
  return items;
}

describe('a streamed turn', () => {
  test('text grows; the end of the step brings the rest', () => {
    const events = play([
      [userStep, growingStep('Hello wor')],
      [userStep, growingStep('Hello world, how')],
      [userStep, answerStep('Hello world, how are you?')],
    ]);
    expect(events).toEqual([
      { type: 'text-delta', delta: 'Hello ' },
      { type: 'text-delta', delta: 'world, how are you?' },
    ]);
  });

  test('each step that says something is a message, also what the user is notified of; tool calls are no events', () => {
    const looks = answerStep('Let me look.', { planner: { toolCalls: [{ id: 'c1', name: 'view_file', argumentsJson: '{}' }] } });
    const notice = stepOf('NOTIFY_USER', 'DONE', { notifyUser: { notificationContent: 'Look at this.' } });
    const events = play([
      [userStep, looks, stepOf('VIEW_FILE', 'DONE'), answerStep('Done.'), notice, stepOf('CHECKPOINT', 'DONE')],
    ]);
    expect(told(events)).toEqual(['Let me look.', 'Done.', 'Look at this.']);
    expect(new Set(events.map(({ type }) => type))).toEqual(new Set(['text-delta', 'message-break']));
  });

  test('a tail that is rewritten before it went out leaves no trace (deviation 6)', () => {
    const events = play([[growingStep('It costs 41')], [growingStep('It costs 42 euros')], [answerStep('It costs 42 euros.')]]);
    expect(told(events)).toEqual(['It costs 42 euros.']);
  });

  test('text that was sent and is rewritten is told again, whole, in a message of its own (deviation 6)', () => {
    const events = play([
      [growingStep('One two three ')],
      [growingStep('One two three ')],
      [growingStep('Uno due')],
      [answerStep('Uno due tre')],
      [answerStep('Uno due tre')],
    ]);
    expect(told(events)).toEqual(['One two three ', 'Uno due tre']);
  });

  test('a done step that changes once more: what it adds comes at once, what it rewrites at the end', () => {
    const added = play([[answerStep('One')], [answerStep('One, two')]]);
    expect(told(added)).toEqual(['One, two']);
    const rewritten = play([[answerStep('One')], [answerStep('Two')], [answerStep('Three')]]);
    expect(told(rewritten)).toEqual(['One', 'Three']);
  });

  test('steps that vanish, null entries and gaps change nothing', () => {
    const events = play([
      [null, growingStep('One two ')],
      [null, growingStep('One two three')],
      [],
      [null],
      [null, answerStep('One two three'), null, answerStep('Four')],
    ]);
    expect(told(events)).toEqual(['One two three', 'Four']);
  });

  test('a later step waits until the one before is done', () => {
    const { push } = open();
    expect(push([growingStep('First'), answerStep('Second')])).toEqual([]);
    expect(told(push([answerStep('First'), answerStep('Second')]))).toEqual(['First', 'Second']);
  });

  test('steps that were taken back or broken off are not finished', () => {
    const cut = answerStep('Half an ans', { planner: { stopReason: 'STOP_REASON_CLIENT_STREAM_ERROR' } });
    const dead = stepOf('PLANNER_RESPONSE', 'CANCELED', { plannerResponse: { response: 'Never mind' } });
    expect(told(play([[growingStep('Half an ')], [growingStep('Half an ans')], [cut, dead, answerStep('A whole one')]]))).toEqual(
      ['Half an ', 'A whole one'],
    );
  });
});

describe('thinking', () => {
  const thinking = (text: string, more: Readonly<Record<string, unknown>> = {}): unknown =>
    growingStep('', { thinking: text, ...more });

  test('comes as it grows, before the text, with its signature behind it (deviation 5)', () => {
    const done = answerStep('Yes', { planner: { thinking: 'I weigh it up.', thinkingSignature: 'c2ln' } });
    const events = play([[thinking('I wei')], [thinking('I weigh it')], [thinking('I weigh it up.')], [done]]);
    expect(told(events)).toEqual(['thinks: I weigh it up.', 'Yes']);
    expect(events.filter(({ type }) => type === 'reasoning-delta').length).toBeGreaterThan(1);
    expect(events.at(-2)).toEqual({
      type: 'reasoning-state',
      state: { format: 'cascade', model: 'one', data: { thinkingSignature: 'c2ln' } },
    });
  });

  test('that comes late is a later item and cuts no text in two (deviations 3 and 4)', () => {
    const late = { planner: { thinking: 'So I thought.' } };
    const events = play([
      [growingStep('One two ')],
      [growingStep('One two ')],
      [growingStep('One two three', { thinking: 'So I' })],
      [growingStep('One two three', { thinking: 'So I thought.' })],
      [answerStep('One two three', late)],
    ]);
    expect(told(events)).toEqual(['One two three', 'thinks: So I thought.']);
    expect(told(play([[answerStep('Yes')], [answerStep('Yes', late)]]))).toEqual(['Yes', 'thinks: So I thought.']);
  });

  test('that goes on below the text shows only what is new', () => {
    const events = play([
      [thinking('Hm, ')],
      [thinking('Hm, ')],
      [growingStep('Yes', { thinking: 'Hm, ' })],
      [answerStep('Yes', { planner: { thinking: 'Hm, and so on.' } })],
    ]);
    expect(told(events)).toEqual(['thinks: Hm, and so on.', 'Yes']);
  });

  test('that is rewritten stays as it was shown', () => {
    const events = play([
      [thinking('One two ')],
      [thinking('One two ')],
      [answerStep('Yes', { planner: { thinking: 'Three' } })],
    ]);
    expect(told(events)).toEqual(['thinks: One two ', 'Yes']);
  });

  test('of two steps is two parts; a signature of text type is kept too', () => {
    const first = answerStep('', { planner: { thinking: 'First', toolCalls: [{ name: 'x' }] } });
    const second = answerStep('Done', { planner: { thinking: 'Second', signature: 'opaque' } });
    expect(play([[first, second]])).toEqual([
      { type: 'reasoning-delta', delta: 'First' },
      { type: 'reasoning-break' },
      { type: 'reasoning-delta', delta: 'Second' },
      { type: 'reasoning-state', state: { format: 'cascade', model: 'one', data: { thinkingSignature: 'opaque' } } },
      { type: 'text-delta', delta: 'Done' },
    ]);
  });
});

describe('a turn that is not streamed', () => {
  test('says nothing before its end, and then only what the server ended with', () => {
    const { stage, push } = open(false);
    expect([...push([growingStep('One two ')]), ...push([growingStep('One two ')]), ...push([answerStep('Uno due')])]).toEqual(
      [],
    );
    expect(stage.hasThinking).toBe(false);
    push([answerStep('Uno due', { planner: { thinking: 'Italian!' } })]);
    expect(stage.hasThinking).toBe(true);
    expect(told(stage.end('all'))).toEqual(['thinks: Italian!', 'Uno due']);
  });

  test('that is broken off tells what there is', () => {
    const { stage, push } = open(false);
    push([answerStep('One.'), growingStep('Two and a ha')]);
    expect(told(stage.breakOff('all'))).toEqual(['One.', 'Two and a ha']);
  });
});

test('a streamed turn that is broken off lets its tail go; rewritten text is not told a second time', () => {
  const { stage, push } = open();
  push([growingStep('One two ')]);
  push([growingStep('One two thr')]);
  expect(told(stage.breakOff('all'))).toEqual(['thr']);
  const other = open();
  other.push([growingStep('One two ')]);
  other.push([growingStep('One two ')]);
  other.push([growingStep('Uno')]);
  expect(other.stage.breakOff('all')).toEqual([]);
});

test('where the model was heard elsewhere, only notices are written', () => {
  const { stage, push } = open(false);
  push([answerStep('Known already'), stepOf('NOTIFY_USER', 'DONE', { notifyUser: { notificationContent: 'Attention' } })]);
  expect(told(stage.end('notices'))).toEqual(['Attention']);
});

test('whatever snapshots are shown, the last message is the text of the last one, and no item is taken up again', () => {
  const text = fc.stringMatching(/^[ab 😀]{0,6}$/u);
  fc.assert(
    fc.property(fc.array(text, { maxLength: 8 }), text, fc.boolean(), (grown, last, isStreamed) => {
      fc.pre(last !== '');
      const events = play([...grown.map((one) => [growingStep(one)]), [answerStep(last)], [answerStep(last)]], isStreamed);
      const messages = told(events);
      expect(messages.at(-1)).toBe(last);
      expect(messages.length).toBeLessThanOrEqual(2);
      // A first message is only what was taken back later.
      if (messages.length === 2) expect(last.startsWith(messages[0] ?? '')).toBe(false);
    }),
  );
});
