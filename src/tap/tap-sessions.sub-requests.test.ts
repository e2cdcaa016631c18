import { describe, expect, test } from 'vitest';
import { answerOf, asked, failCall, showEvents, startTapSessions } from '../../test/doubles/start-tap-sessions.ts';
import { chunk, playAnswer, sentBody } from '../../test/doubles/tap-conversation.ts';

const stop = { finishReason: 'STOP' };

describe('sub-requests', () => {
  test.each([
    ['unary', { streams: false }, {}, []],
    ['without tools', {}, { tools: [] }, []],
    ['behind an answer of the model', {}, {}, [chunk([{ text: 'ok' }])]],
  ])('%s: no tools, no history, no mark', (_, change, body, heard) => {
    const { intercept, openTurn } = startTapSessions();
    const turn = openTurn();
    const agent = asked(turn);
    agent.hear(heard);
    const sent = intercept({ ...agent.body(), ...body }, change);
    expect(sentBody(sent)).toEqual({
      ...agent.body(),
      ...body,
      contents: [{ role: 'user', parts: [{ text: 'hi' }] }, ...agent.contents.slice(1)],
    });
    expect(turn.state).toMatchObject({ mainCalls: 0, runningSubRequests: 1 });
    playAnswer(sent, [chunk([{ text: 'A title' }], stop)]);
    expect(turn.state).toMatchObject({ runningSubRequests: 0, hasOutput: false });
    expect(turn.takeEvents()).toEqual([]);
  });

  test('what is nothing but marks goes with its part and content', () => {
    const { intercept, openTurn, marks } = startTapSessions();
    const turn = openTurn();
    const agent = asked(turn);
    agent.contents.push(
      { role: 'model', parts: [{ text: marks.writeCallMark('a') }] },
      { role: 'user', parts: [{ text: 'title?' }] },
    );
    expect(sentBody(intercept(agent.body(), { streams: false }))['contents']).toEqual([
      { role: 'user', parts: [{ text: 'hi' }] },
      { role: 'user', parts: [{ text: 'title?' }] },
    ]);
  });

  test('a mark that a title prompt has cut goes as well', () => {
    const { intercept, openTurn } = startTapSessions();
    const quote = openTurn().markText({ block: '', text: 'hi' }).slice(0, 40);
    const body = { contents: [{ role: 'user', parts: [{ text: `Title for "${quote}…"` }] }] };
    expect(intercept(body, { streams: false })).toMatchObject({ body: JSON.stringify(body).replace(quote, ''), answer: null });
  });

  test.each([
    ['the first ten letters', 0, 10],
    ['the last fifty letters', -50, undefined],
  ])('a prompt that quotes %s of a text shows nothing of its mark', (_, from, to) => {
    const { intercept, openTurn } = startTapSessions();
    const marked = openTurn().markText({ block: '', text: 'what is up?' });
    const quote = marked.slice(from, to);
    const body = { contents: [{ role: 'user', parts: [{ text: `Title for "${quote}"` }] }] };
    const rest = quote.endsWith('what is up?') ? 'what is up?' : '';
    const sent = intercept(body, { streams: false });
    expect(sentBody(sent)['contents']).toEqual([{ role: 'user', parts: [{ text: `Title for "${rest}"` }] }]);
  });

  const thoughts = chunk([{ text: 'I thought', thought: true }, { text: ' a lot', thought: true }, { text: 'summary' }], stop);

  test('thinking that comes late is reported once, and only when the answer ended well', () => {
    const { intercept, openTurn } = startTapSessions();
    const turn = openTurn();
    const agent = asked(turn);
    const sub = () => intercept(agent.body(), { streams: false });
    playAnswer(sub(), [chunk([{ text: 'about titles', thought: true }], stop)]);
    agent.hear(playAnswer(intercept(agent.body()), [chunk([{ text: 'ok' }], stop)]));
    const broken = answerOf(sub());
    broken.begin(200);
    broken.push({ value: thoughts });
    broken.break();
    failCall(sub(), 500);
    expect(showEvents(turn)).toEqual(['ok']);
    playAnswer(sub(), [thoughts]);
    playAnswer(sub(), [thoughts]);
    expect(showEvents(turn)).toEqual(['I thought a lot']);
    expect(turn.state).toMatchObject({ hasThinking: true, runningSubRequests: 0 });
  });

  test('late thinking waits for the end of a main call, and gives way to the main call’s own', () => {
    const { intercept, openTurn } = startTapSessions();
    const [turn, other] = [openTurn(), openTurn()];
    for (const [each, thought] of [
      [turn, false],
      [other, true],
    ] as const) {
      const agent = asked(each);
      const main = answerOf(intercept(agent.body()));
      main.begin(200);
      main.push({ value: chunk([{ text: 'a' }]) });
      playAnswer(intercept(agent.body(), { streams: false }), [thoughts]);
      main.push({ value: chunk([{ text: 'b', thought }], stop) });
      main.end();
    }
    expect(showEvents(turn)).toEqual(['a', 'b', 'I thought a lot']);
    expect(showEvents(other)).toEqual(['a', 'b']);
  });
});
