import { describe, expect, test } from 'vitest';
import { answerOf, asked, failCall, showEvents, startTapSessions } from '../../test/doubles/start-tap-sessions.ts';
import { chunk, PlainAgent, playAnswer, sentBody } from '../../test/doubles/tap-conversation.ts';
import type { JsonObject } from '../lib/json.ts';
import type { Interception } from './model-call.ts';

const stop = { finishReason: 'STOP' };
const withUsage = (value: JsonObject, thoughts: number) => ({
  ...value,
  usageMetadata: { promptTokenCount: 10, candidatesTokenCount: 1, thoughtsTokenCount: thoughts },
});
const view = { functionCall: { name: 'view_file', args: {} } };
const ask = { functionCall: { name: 'f', args: {} } };

describe('a call that belongs to no open turn', () => {
  test('passes when it has no mark, whatever it is', () => {
    const { intercept, openTurn } = startTapSessions();
    openTurn();
    expect(intercept(new PlainAgent().body())).toEqual({ type: 'pass' });
    expect(intercept(null, { body: new Uint8Array([0xff, 0x00]) })).toEqual({ type: 'pass' });
  });

  test('passes when what looked like a mark is none, whatever its bytes are', () => {
    const { intercept, marks } = startTapSessions();
    const head = marks.writeCallMark('a').slice(0, 10);
    const body = new Uint8Array([...new TextEncoder().encode(`{"a":"${head}Z`), 0xff, ...new TextEncoder().encode('"}')]);
    expect(intercept(null, { body })).toEqual({ type: 'pass' });
  });

  test.each(['closed turn', 'turn of another process'])('loses the marks of a %s and nothing else', (whose) => {
    const { intercept, openTurn } = startTapSessions();
    const turn = (whose === 'closed turn' ? { openTurn } : startTapSessions()).openTurn();
    const agent = asked(turn);
    turn.close();
    const source = JSON.stringify(agent.body(), null, 2).replace('"its own"', '"its\\u0020own", "big": 12345678901234567890');
    const interception = intercept(null, { body: new TextEncoder().encode(source) });
    const mark = /antiphon\w{80}\\n/;
    expect(interception).toEqual({ type: 'forward', body: source.replace(mark, ''), answer: null, signal: null });
  });

  test('belongs to none when two turns could be meant', () => {
    const { intercept, openTurn } = startTapSessions();
    const [first, second] = [openTurn(), openTurn()];
    const agent = asked(first);
    agent.contents.push({
      role: 'user',
      parts: [first, second].map((turn) => ({ text: turn.markText({ block: '', text: 'x' }) })),
    });
    const interception = intercept(agent.body());
    expect(interception).toMatchObject({ type: 'forward', answer: null });
    expect(sentBody(interception)['contents']).toEqual([
      { role: 'user', parts: [{ text: 'hi' }] },
      { role: 'user', parts: [{ text: 'x' }, { text: 'x' }] },
    ]);
    expect(first.state.mainCalls + second.state.mainCalls).toBe(0);
  });

  test('another conversation that the agent quotes does not hide the one that is meant', () => {
    const { intercept, openTurn } = startTapSessions();
    const [quoted, meant] = [openTurn(), openTurn()];
    const body = { ...asked(meant).body(), systemInstruction: { parts: [{ text: quoted.markText({ block: '', text: 'x' }) }] } };
    expect(sentBody(intercept(body))['systemInstruction']).toEqual({ parts: [{ text: 'x' }] });
    expect([quoted.state.mainCalls, meant.state.mainCalls]).toEqual([0, 1]);
  });

  test('what is no JSON loses its marks all the same', () => {
    const { intercept, openTurn } = startTapSessions();
    const text = `{ "half": ${JSON.stringify(openTurn().markText({ block: '', text: 'x' }))}`;
    expect(intercept(null, { body: new TextEncoder().encode(text) })).toMatchObject({ body: '{ "half": "x"' });
  });
});

describe('main calls', () => {
  test('without tools of the agent, only when they are dropped anyway', () => {
    const { intercept, openTurn } = startTapSessions();
    const turn = openTurn({}, 'drop');
    const body = { contents: asked(turn).contents };
    expect(sentBody(intercept(body))).toMatchObject({ tools: [{ functionDeclarations: [{ name: 'f' }] }] });
    expect(turn.state.mainCalls).toBe(1);
  });

  test('numbers of the agent server keep every digit', () => {
    const { intercept, openTurn } = startTapSessions();
    const plain = JSON.stringify({ ...asked(openTurn()).body(), generationConfig: { seed: 0, topP: 1 } });
    const source = plain.replace('"seed":0', '"seed":12345678901234567890').replace('"topP":1', '"topP":1.0');
    const sent = intercept(null, { body: new TextEncoder().encode(source) });
    expect(sent).toMatchObject({ body: expect.stringContaining('{"seed":12345678901234567890,"topP":1.0}') as string });
    expect(sentBody(sent)).toEqual({
      ...sentBody(intercept(JSON.parse(plain))),
      generationConfig: { seed: 12345678901234567890, topP: 1 },
    });
  });

  test('several in one turn: their texts are parted, their usage is summed up', () => {
    const { intercept, openTurn, changes } = startTapSessions();
    const turn = openTurn();
    const agent = asked(turn);
    agent.work(agent.hear(playAnswer(intercept(agent.body()), [withUsage(chunk([{ text: 'first' }, view], stop), 5)])));
    expect(turn.state).toMatchObject({ mainCalls: 1, running: 0, hasClientCalls: false, finish: 'stop' });
    agent.hear(playAnswer(intercept(agent.body()), [withUsage(chunk([{ text: 'second' }], { finishReason: 'MAX_TOKENS' }), 2)]));
    const events = turn.takeEvents();
    expect(events.filter(({ type }) => type !== 'usage')).toEqual([
      { type: 'text-delta', delta: 'first' },
      { type: 'message-break' },
      { type: 'text-delta', delta: 'second' },
    ]);
    expect(events.at(-1)).toMatchObject({ usage: { inputTokens: 20, outputTokens: 9, reasoningTokens: 7 } });
    expect(turn.state).toMatchObject({ mainCalls: 2, finish: 'length', thinkingTokens: 7, hasOutput: true, failure: null });
    expect(changes()).toBeGreaterThan(3);
  });

  test('the thinking of two main calls is parted; no text, no break', () => {
    const { intercept, openTurn } = startTapSessions();
    const turn = openTurn();
    const agent = asked(turn);
    agent.work(agent.hear(playAnswer(intercept(agent.body()), [chunk([{ text: 'a', thought: true }, view], stop)])));
    agent.hear(playAnswer(intercept(agent.body()), [chunk([{ text: 'b', thought: true }, { text: 'c' }], stop)]));
    expect(showEvents(turn)).toEqual(['a', 'reasoning-break', 'b', 'c']);
  });

  test('one that fails and is sent again counts once; the failure is gone when a later one succeeds', () => {
    const { intercept, openTurn } = startTapSessions();
    const turn = openTurn();
    const agent = asked(turn);
    const refused = intercept(agent.body());
    failCall(refused, 429);
    expect(turn.state).toMatchObject({ mainCalls: 1, running: 0, failure: { code: 'rate_limit_exceeded' } });
    const again = intercept(agent.body());
    expect(sentBody(again)).toEqual(sentBody(refused));
    playAnswer(again, [withUsage(chunk([{ text: 'ok' }], stop), 0)]);
    expect(turn.state).toMatchObject({ mainCalls: 2, failure: null });
    expect(turn.takeEvents().at(-1)).toMatchObject({ usage: { inputTokens: 10 } });
  });

  test.each(['keep', 'drop'] as const)('after calls of the client the tap ends the agent’s loop by itself (%s)', (ownTools) => {
    const { intercept, openTurn, marks } = startTapSessions();
    const turn = openTurn({}, ownTools);
    const agent = asked(turn);
    const heard = playAnswer(intercept(agent.body()), [chunk([view, ask], stop)]);
    agent.work(agent.hear(heard));
    const closing = intercept(agent.body());
    expect(closing.type).toBe('answer');
    const [said] = playAnswer(closing, []) as [JsonObject];
    expect(said).toMatchObject(chunk([{ text: expect.stringMatching(/^antiphon\w{80}$/) as string }], stop));
    expect(marks.stripMarks(JSON.stringify(said))).not.toContain('antiphon');
    expect(turn.state).toMatchObject({ mainCalls: 1, hasClientCalls: true, failure: null });
    expect(showEvents(turn)).toEqual(['call-start', '{}', 'call-end']);
  });

  test('one that is cut ends the turn for good', () => {
    const { intercept, openTurn } = startTapSessions();
    const turn = openTurn();
    const agent = asked(turn);
    const cut = answerOf(intercept(agent.body()));
    cut.begin(200);
    cut.push({ value: chunk([{ text: 'half' }]) });
    cut.break();
    expect(turn.state).toMatchObject({ running: 0, failure: { code: 'upstream_truncated' } });
    expect(intercept(agent.body()).type).toBe('answer');
    expect(showEvents(turn)).toEqual(['half']);
    expect(turn.state.failure).not.toBeNull();
  });

  test('two at the same time never mix', () => {
    const { intercept, openTurn } = startTapSessions();
    const turn = openTurn();
    const agent = asked(turn);
    const [first, second] = [answerOf(intercept(agent.body())), answerOf(intercept(agent.body()))];
    for (const [answer, text] of [
      [second, 'x'],
      [first, 'a'],
      [second, 'y'],
      [first, 'b'],
    ] as const) {
      answer.begin(200);
      answer.push({ value: chunk([{ text }]) });
    }
    second.push({ value: chunk([], stop) });
    second.end();
    expect(showEvents(turn)).toEqual(['a', 'b']);
    first.push({ value: chunk([], stop) });
    first.end();
    expect(showEvents(turn)).toEqual(['message-break', 'x', 'y']);
    expect(turn.state).toMatchObject({ running: 0, finish: 'stop' });
  });

  test('closing the turn breaks them off, and nothing is heard of it any more', () => {
    const { intercept, openTurn, changes } = startTapSessions();
    const turn = openTurn();
    const agent = asked(turn);
    const interception = intercept(agent.body());
    const { signal } = interception as Interception & { type: 'forward' };
    expect(signal?.aborted).toBe(false);
    const before = changes();
    turn.close();
    turn.close();
    expect(signal?.aborted).toBe(true);
    answerOf(interception).break();
    expect(changes()).toBe(before);
    expect(intercept(agent.body())).toMatchObject({ type: 'forward', answer: null, signal: null });
  });

  test('what only the real model loses is told, once', () => {
    const { intercept, openTurn } = startTapSessions();
    const turn = openTurn({ verbosity: 'low', format: { type: 'json-object' } });
    const agent = asked(turn);
    const losses: unknown[] = [];
    for (let round = 0; round < 2; round += 1) {
      agent.work(agent.hear(playAnswer(intercept(agent.body(), { model: 'gemini-2.5-pro' }), [chunk([view], stop)])));
      losses.push(...turn.takeEvents());
    }
    expect(losses).toMatchObject([{ type: 'loss', loss: { path: 'text.format', action: 'emulated' } }]);
  });

  test('a wrapped request names its model and gets wrapped answers', () => {
    const { intercept, openTurn } = startTapSessions();
    const turn = openTurn();
    const { contents, tools } = asked(turn).body();
    const body = { model: 'models/gemini-2.5-pro', project: 'p', request: { contents, tools } };
    const interception = intercept(body, { model: '' });
    expect(sentBody(interception)).toMatchObject({ project: 'p', request: { contents: [{ parts: [{ text: 'hi' }] }] } });
    playAnswer(interception, [{ response: chunk([{ ...ask, thoughtSignature: 's' }], stop) }]);
    expect(turn.takeEvents()).toContainEqual(
      expect.objectContaining({
        type: 'reasoning-state',
        state: expect.objectContaining({ model: 'gemini-2.5-pro' }) as unknown,
      }),
    );
    expect(intercept(body, { model: '' })).toMatchObject({ type: 'answer', chunks: [{ response: { candidates: [{}] } }] });
  });
});
