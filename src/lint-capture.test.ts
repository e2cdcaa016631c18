import { describe, expect, test } from 'vitest';
import { goodStream } from '../test/doubles/broken-streams.ts';
import { eventFrames } from '../test/doubles/responses-events.ts';
import { lintCapture } from './lint-capture.ts';

const good = goodStream();
const lines = good.map((event) => JSON.stringify(event));

describe('a capture may be', () => {
  test.each([
    ['an event stream', eventFrames(good)],
    ['one with CRLF, comments and [DONE]', `: hi\r\n\r\n${eventFrames(good).replaceAll('\n', '\r\n')}data: [DONE]\r\n\r\n`],
    ['what curl -i shows', `HTTP/1.1 200 OK\nContent-Type: text/event-stream\n\n${eventFrames(good)}`],
    ['bare data lines', lines.map((line) => `data: ${line}`).join('\n')],
    ['data lines and blank ones, cut before the last', lines.map((line) => `data: ${line}`).join('\n\n')],
    ['one event a line', `\uFEFF${lines.join('\n')}\n`],
    ['a list of events', `[${lines.join(',\n')}]`],
  ])('%s', (_name, text) => {
    expect(lintCapture(text)).toEqual({ faults: [], events: good.length, isBody: false });
  });
});

test('streams may follow each other; events are counted through', () => {
  const broken = good.filter(({ type }) => type !== 'response.output_text.done');
  const { faults, events } = lintCapture(eventFrames([...good, ...broken]));
  expect(events).toBe(good.length + broken.length);
  expect(faults.map(({ rule }) => rule)).toEqual(['sequence-number', 'text-done']);
  expect(faults[1]?.event).toBe(good.length + broken.findIndex(({ type }) => type === 'response.content_part.done'));
});

test('what is no JSON, and an event line with another name', () => {
  const text = eventFrames(good)
    .replace('event: response.created', 'event: created')
    .replace('{"type":"response.in_progress"', '{type');
  expect(lintCapture(text).faults.map(({ rule, event }) => [rule, event])).toEqual([
    ['event-name', 0],
    ['not-json', 1],
    ['sequence-number', 2],
    ['in-progress-second', 2],
  ]);
});

test.each([
  ['a whole answer', JSON.stringify(good.at(-1)?.['response'])],
  ['one in many lines', JSON.stringify(good.at(-1)?.['response'], null, 2)],
  ['an error', '{"error":{"message":"no"}}'],
])('no stream at all: %s', (_name, text) => {
  expect(lintCapture(text)).toEqual({ faults: [], events: 0, isBody: true });
});

test('data in many lines, bytes that were cut', () => {
  const many = good.map((event) => `${JSON.stringify(event, null, 1).replaceAll(/^/gm, 'data: ')}\n\n`).join('');
  expect(lintCapture(many).faults).toEqual([]);
  const cut = lintCapture(eventFrames(good).slice(0, -100));
  expect(cut.faults.map(({ rule }) => rule)).toEqual(['not-json', 'terminal-missing']);
});

test('nothing', () => {
  for (const text of ['', '\n\n', 'data: [DONE]\n\n', ': ping\n\n']) expect(lintCapture(text).events).toBe(0);
});
