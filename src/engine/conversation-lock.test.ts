import { describe, expect, test } from 'vitest';
import { createConversationLock, type ConversationLock } from './conversation-lock.ts';

const never = new AbortController().signal;
const key = { owner: 'me', conversation: 'c' };

/** A lock whose time-outs happen when the test says so. */
function newLock(): { readonly lock: ConversationLock; readonly expire: () => void; readonly asked: number[] } {
  const timeouts: AbortController[] = [];
  const asked: number[] = [];
  const createTimeout = (milliseconds: number): AbortSignal => {
    asked.push(milliseconds);
    const timeout = new AbortController();
    timeouts.push(timeout);
    return timeout.signal;
  };
  const lock = createConversationLock({ patienceMs: 5_000, createTimeout });
  return { lock, expire: () => timeouts.shift()?.abort(), asked };
}

/** Notes the name when its turn comes. */
function enterAs(name: string, lock: ConversationLock, log: string[], gone = never): Promise<() => void> {
  return lock.enter(key, gone).then((leave) => {
    log.push(name);
    return leave;
  });
}

describe('a conversation', () => {
  test('is entered one after another, in the order of the calls', async () => {
    const { lock, asked } = newLock();
    const log: string[] = [];
    const leave = await enterAs('first', lock, log);
    expect(asked).toEqual([]);
    const turns = ['second', 'third', 'fourth'].map((name) => enterAs(name, lock, log));
    await Promise.resolve();
    expect(log).toEqual(['first']);
    leave();
    for (const turn of turns) (await turn)();
    expect(log).toEqual(['first', 'second', 'third', 'fourth']);
    expect(asked).toEqual([5_000, 5_000, 5_000]);
    (await lock.enter(key, never))();
  });

  test('left twice lets only one in', async () => {
    const { lock } = newLock();
    const log: string[] = [];
    const leave = await enterAs('first', lock, log);
    const second = enterAs('second', lock, log);
    const third = enterAs('third', lock, log);
    leave();
    leave();
    const leaveSecond = await second;
    leave();
    await Promise.resolve();
    expect(log).toEqual(['first', 'second']);
    leaveSecond();
    (await third)();
  });

  test("of another name or owner is another one's", async () => {
    const { lock } = newLock();
    await lock.enter(key, never);
    await lock.enter({ ...key, owner: 'you' }, never);
    await lock.enter({ ...key, conversation: 'd' }, never);
    // No pair of names can look like another pair.
    await lock.enter({ owner: 'me","c', conversation: '' }, never);
  });
});

describe('who waits', () => {
  test('too long is told that the conversation is locked, and is in nobody’s way', async () => {
    const { lock, expire } = newLock();
    const log: string[] = [];
    const leave = await enterAs('first', lock, log);
    const second = enterAs('second', lock, log);
    const third = enterAs('third', lock, log);
    expire();
    await expect(second).rejects.toMatchObject({ code: 'conversation_locked', status: 400, param: 'conversation' });
    leave();
    (await third)();
    expect(log).toEqual(['first', 'third']);
    (await lock.enter(key, never))();
  });

  test('and leaves is in nobody’s way; who has left never enters', async () => {
    const { lock } = newLock();
    const log: string[] = [];
    const leaving = new AbortController();
    const leave = await enterAs('first', lock, log);
    const second = enterAs('second', lock, log, leaving.signal);
    leaving.abort(new Error('left'));
    await expect(second).rejects.toThrow('left');
    leave();
    await expect(enterAs('third', lock, log, leaving.signal)).rejects.toThrow('left');
    (await enterAs('fourth', lock, log))();
    expect(log).toEqual(['first', 'fourth']);
  });

  test('whose time is over already does not wait', async () => {
    const lock = createConversationLock({ patienceMs: 0, createTimeout: () => AbortSignal.abort() });
    const leave = await lock.enter(key, never);
    await expect(lock.enter(key, never)).rejects.toMatchObject({ code: 'conversation_locked' });
    leave();
    await lock.enter(key, never);
  });
});
