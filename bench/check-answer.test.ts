import { describe, expect, test } from 'vitest';
import { checkAnswer, checkStreamClosely } from './check-answer.ts';
import { answerText, chatWire, deltas, geminiWire, messagesWire, responsesWire, usage } from './wire.ts';

const counted = { input_tokens: usage.inputTokens, output_tokens: usage.outputTokens, total_tokens: usage.totalTokens };
const response = { status: 'completed', output: [{ type: 'message', content: [{ text: answerText }] }], usage: counted };

function encodeStream(events: readonly { type: string }[]): string {
  const frames = events.map(
    (event, index) => `event: ${event.type}\ndata: ${JSON.stringify({ ...event, sequence_number: index })}\n\n`,
  );
  return `${frames.join('')}data: [DONE]\n\n`;
}

const goodEvents = [
  { type: 'response.created' },
  ...deltas.map((delta) => ({ type: 'response.output_text.delta', delta })),
  { type: 'response.completed', response },
];
const goodStream = encodeStream(goodEvents);

function checkStream(stream: string): string | null {
  return checkAnswer('responses-stream', 200, Buffer.from(stream));
}

describe('what is right passes', () => {
  test('streams and whole answers of all kinds', () => {
    expect(checkStream(goodStream)).toBeNull();
    expect(checkStreamClosely(Buffer.from(`: keep-alive\n\n${goodStream}`))).toBeNull();
    expect(checkAnswer('responses-whole', 200, Buffer.from(JSON.stringify(response)))).toBeNull();
    expect(checkAnswer('chat-stream', 200, Buffer.concat(chatWire.writes))).toBeNull();
    expect(checkAnswer('gemini-stream', 200, Buffer.concat(geminiWire.writes))).toBeNull();
    expect(checkAnswer('messages-stream', 200, Buffer.concat(messagesWire.writes))).toBeNull();
    expect(checkAnswer('passed-responses-stream', 200, Buffer.concat(responsesWire.writes))).toBeNull();
    expect(checkAnswer('chat-whole', 200, chatWire.whole)).toBeNull();
    expect(checkAnswer('gemini-whole', 200, geminiWire.whole)).toBeNull();
  });
});

describe('a planted mistake is found', () => {
  test('an HTTP error', () => {
    expect(checkAnswer('chat-whole', 503, Buffer.from('busy'))).toBe('HTTP 503: busy');
  });

  test.each([
    ['a lost delta', goodStream.replace(/event: response\.output_text\.delta\n.*\n\n/, ''), /^199 text deltas/],
    ['a cut stream', goodStream.slice(0, -20), /does not end with \[DONE\]/],
    ['a failed response', goodStream.replaceAll('response.completed', 'response.failed'), /no response\.completed/],
    ['another text', goodStream.replaceAll('moon', 'sun'), /does not hold the text/],
  ])('in a stream: %s', (_, stream, fault) => {
    expect(checkStream(stream)).toMatch(fault);
  });

  test.each([
    ['a gap in the numbering', goodStream.replace('"sequence_number":7', '"sequence_number":8'), /^event 7 carries/],
    [
      'two deltas swapped',
      encodeStream([...goodEvents.slice(0, 1), ...goodEvents.slice(1, 3).reverse(), ...goodEvents.slice(3)]),
      /joined deltas/,
    ],
    ['other usage', goodStream.replace('"total_tokens":', '"total_tokens":1'), /^usage is/],
    ['an event after the last', encodeStream([...goodEvents, { type: 'response.created' }]), /^the last event/],
  ])('in a stream, looked at closely: %s', (_, stream, fault) => {
    expect(checkStreamClosely(Buffer.from(stream))).toMatch(fault);
  });

  test('in whole answers', () => {
    const incomplete = JSON.stringify({ ...response, status: 'incomplete' });
    expect(checkAnswer('responses-whole', 200, Buffer.from(incomplete))).toMatch(/^the response is incomplete/);
    expect(checkAnswer('gemini-whole', 200, chatWire.whole)).toMatch(/^the proxy changed/);
  });
});
