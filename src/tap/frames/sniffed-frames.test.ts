import { describe, expect, test } from 'vitest';
import { createFrameFormat } from './answer-framing.ts';
import { joinBytes, type FrameFormat } from './frame-format.ts';

const events = 'data: {"a":1}\r\n\r\ndata: {"a":2}\r\n\r\n';
const array = '[{"a":1},\n{"a":2}]';
const chunks = ['{"a":1}', '{"a":2}'];

/** The JSON of the frames, with the body cut behind every byte; the bytes must come out as they went in. */
function framesOf(text: string, format: FrameFormat): readonly (string | null)[] {
  const bytes = Buffer.from(text);
  const frames = [...[...bytes.keys()].flatMap((at) => format.split(bytes.subarray(at, at + 1))), ...format.splitEnd()];
  const joined = [...frames.map((frame) => format.join(frame, { type: 'pass' })), format.joinEnd([])];
  expect(Buffer.from(joinBytes(joined)).toString()).toBe(text);
  return frames.map(({ json }) => json);
}

describe.each(['events', 'array', 'object'] as const)('where %s were asked for', (asked) => {
  describe.each(['text/event-stream', 'Text/Event-Stream; charset=utf-8', 'text/plain', 'application/json', ''])(
    'and the content type is %j',
    (contentType) => {
      test.each([
        ['an event stream', events, chunks],
        ['an event stream behind blank lines', `\r\n\r\n${events}`, chunks],
        ['an event stream with a byte order mark', `\uFEFF${events}`, chunks],
        ['an event stream that begins with a comment', `: hello\n\n${events}`, chunks],
        ['an event stream with other fields first', `id: 1\n${events}`, chunks],
        ['an array', `\n ${array}`, chunks],
        ['an object', '{"a":1}', ['{"a":1}']],
      ])('%s is one', (_, text, expected) => {
        const found = framesOf(text, createFrameFormat(contentType, asked));
        expect(found.filter((json) => json !== null)).toEqual(expected);
      });

      test.each(['', ' \n', 'd', '<html></html>', 'data', 'no json', '\uFEFF'])('%j comes out as it went in', (text) => {
        framesOf(text, createFrameFormat(contentType, asked));
      });
    },
  );
});
