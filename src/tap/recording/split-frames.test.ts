import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { createSseDecoder } from '../../lib/sse-decoder.ts';
import { splitArray, splitEvents, splitLines, type BodyFrame } from './split-frames.ts';

const textOf = (frames: readonly BodyFrame[]): string => frames.map(({ text }) => text).join('');
const chunksOf = (frames: readonly BodyFrame[]): string[] => frames.flatMap(({ chunk }) => (chunk === null ? [] : [chunk]));

/** Bodies of any kind, whole and cut anywhere. */
const streams = fc
  .array(
    fc.constantFrom(
      'data: {"a":1}',
      'data:x',
      'data',
      ': note',
      'event: e',
      'id: 5',
      'x',
      '',
      '\n',
      '\r\n',
      '\r',
      '{"a":',
      '"]}\\',
      '[',
      ']',
      ',',
      '}',
      '"',
    ),
    {
      maxLength: 40,
    },
  )
  .map((pieces) => pieces.join(''));

test('nothing of a body is lost, added or moved', () => {
  fc.assert(
    fc.property(streams, fc.boolean(), (text, isCut) => {
      for (const frames of [splitEvents(text, isCut), splitArray(text), splitLines(text, isCut)])
        expect(textOf(frames)).toBe(text);
    }),
    { numRuns: 2_000 },
  );
});

test('events are those that our decoder reads', () => {
  fc.assert(
    fc.property(
      streams.filter((text) => !/^error/m.test(text)),
      (text) => {
        const decoder = createSseDecoder({ maxEventBytes: 1e6 });
        const events = [...decoder.push(Buffer.from(text)), ...decoder.end()];
        const mine = splitEvents(text, false).filter(({ chunk }) => chunk !== null && !chunk.startsWith(':'));
        expect(mine.map(({ chunk, event }) => ({ data: chunk, event: event === '' ? null : event }))).toEqual(
          events.map(({ data, event }) => ({ data, event })),
        );
      },
    ),
    { numRuns: 2_000 },
  );
});

test('elements are those that JSON.parse reads', () => {
  const element = fc.oneof(fc.dictionary(fc.string(), fc.jsonValue()), fc.array(fc.jsonValue()));
  fc.assert(
    fc.property(fc.array(element), fc.constantFrom(0, 2), (elements, indent) => {
      const text = JSON.stringify(elements, null, indent);
      const chunks = chunksOf(splitArray(text));
      expect(chunks.map((chunk) => JSON.parse(chunk) as unknown)).toEqual(JSON.parse(text));
    }),
  );
});

describe('a cut body', () => {
  test.each([
    ['data: a\n\ndata: b\n', ['a']],
    ['data: a\n\ndata: b', ['a']],
    ['data: a\r\n\r\n', ['a']],
    [': hm\n\ndata: b\n\n', [': hm', 'b']],
  ])('of events: %j', (text, chunks) => {
    expect(chunksOf(splitEvents(text, true))).toEqual(chunks);
  });

  test('ends an open event when it was not cut', () => {
    expect(chunksOf(splitEvents('data: a\n\ndata: b', false))).toEqual(['a', 'b']);
  });

  test.each([
    ['[{"a":1},{"b":"x}', ['{"a":1}']],
    ['[{"a":"\\', []],
    ['[', []],
  ])('of an array: %j', (text, chunks) => {
    expect(chunksOf(splitArray(text))).toEqual(chunks);
  });

  test('of lines', () => {
    expect(chunksOf(splitLines('{"a":1}\r\n\n{"b":', true))).toEqual(['{"a":1}']);
    expect(chunksOf(splitLines('{"a":1}\n{"b":2}', false))).toEqual(['{"a":1}', '{"b":2}']);
  });
});

test('an image of some megabytes is no trouble', () => {
  const text = `[{"data":"${'A'.repeat(20_000_000)}"},{"b":2}]`;
  expect(chunksOf(splitArray(text)).map(({ length }) => length)).toEqual([20_000_011, 7]);
});
