import { createParser } from 'eventsource-parser';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { createSseDecoder, SseError, type SseEvent } from './sse-decoder.ts';

const encoder = new TextEncoder();
const data = (text: string, event: string | null = null): SseEvent => ({ event, data: text });

function decode(pieces: Iterable<Uint8Array>, maxEventBytes = 1 << 20): SseEvent[] {
  const decoder = createSseDecoder({ maxEventBytes });
  const events: SseEvent[] = [];
  for (const piece of pieces) events.push(...decoder.push(piece));
  events.push(...decoder.end());
  return events;
}

/** Every frame of the fault catalogue (reliability.md U25) and what the standard, or a server that deviates, means by it. */
const frames: readonly [name: string, text: string, events: readonly SseEvent[]][] = [
  ['LF', 'data: a\n\n', [data('a')]],
  ['CRLF', 'data: a\r\n\r\n', [data('a')]],
  ['CR', 'data: a\r\r', [data('a')]],
  ['CR, two events', 'data: a\r\rdata: b\r\r', [data('a'), data('b')]],
  ['LF then CRLF', 'data: a\n\r\ndata: b\r\n\n', [data('a'), data('b')]],
  ['CR then LF is one end, so the event stays open', 'data: a\r\ndata: b\r\n\r\n', [data('a\nb')]],
  ['CR CRLF', 'data: a\r\r\ndata: b\r\r\n', [data('a'), data('b')]],
  ['LF CR', 'data: a\n\rdata: b\n\r', [data('a'), data('b')]],
  ['byte order mark', '\uFEFFdata: a\n\n', [data('a')]],
  ['byte order mark inside', 'data: \uFEFFa\n\n', [data('\uFEFFa')]],
  ['byte order mark before a later field hides it', 'data: a\n\n\uFEFFdata: b\n\ndata: c\n\n', [data('a'), data('c')]],
  ['comment', ': hello\n\ndata: a\n\n', [data('a')]],
  ['OpenRouter keep-alive', ': OPENROUTER PROCESSING\n\n: OPENROUTER PROCESSING\n\ndata: a\n\n', [data('a')]],
  ['comment inside an event', 'data: a\n: x\ndata: b\n\n', [data('a\nb')]],
  ['empty comment', ':\n\ndata: a\n\n', [data('a')]],
  ['no space', 'data:a\n\n', [data('a')]],
  ['two spaces', 'data:  a\n\n', [data(' a')]],
  ['tab is not the space', 'data:\ta\n\n', [data('\ta')]],
  ['no space, CRLF', 'data:a\r\n\r\n', [data('a')]],
  ['several lines', 'data: a\ndata: b\ndata:c\n\n', [data('a\nb\nc')]],
  ['several lines, CRLF', 'data: a\r\ndata: b\r\n\r\n', [data('a\nb')]],
  ['empty data', 'data:\n\n', [data('')]],
  ['empty data with space', 'data: \n\n', [data('')]],
  ['field without colon', 'data\n\n', [data('')]],
  ['two empty data lines', 'data\ndata\n\n', [data('\n')]],
  ['empty line in data', 'data: a\ndata:\ndata: b\n\n', [data('a\n\nb')]],
  ['event type', 'event: delta\ndata: a\n\n', [data('a', 'delta')]],
  ['event type after data', 'data: a\nevent: delta\n\n', [data('a', 'delta')]],
  ['event type does not stay', 'event: x\ndata: a\n\ndata: b\n\n', [data('a', 'x'), data('b')]],
  ['event type without data is forgotten', 'event: x\n\ndata: b\n\n', [data('b')]],
  ['empty event type', 'event: x\nevent:\ndata: a\n\n', [data('a')]],
  ['last event type wins', 'event: x\nevent: y\ndata: a\n\n', [data('a', 'y')]],
  ['id and retry', 'id: 1\nretry: 10\ndata: a\n\nretry: x\n\n', [data('a')]],
  ['unknown field', 'foo: bar\ndata: a\nbaz\n\n', [data('a')]],
  ['names are case sensitive', 'Data: b\ndata: a\n\n', [data('a')]],
  ['space before the name', ' data: b\ndata: a\n\n', [data('a')]],
  ['colons in the value', 'data: a: b:c\n\n', [data('a: b:c')]],
  ['name that begins like data', 'data2: b\ndata: a\n\n', [data('a')]],
  ['NUL', 'data: a\0b\n\n', [data('a\0b')]],
  ['no blank line at the end', 'data: a\n\ndata: b\n', [data('a'), data('b')]],
  ['no line end at the end', 'data: a\n\ndata: b', [data('a'), data('b')]],
  ['no line end at the end, CR', 'data: a\r\rdata: b\r', [data('a'), data('b')]],
  ['many blank lines', '\n\n\ndata: a\n\n\n\n\ndata: b\n\n\n', [data('a'), data('b')]],
  ['nothing', '', []],
  ['only blank lines', '\r\n\r\n', []],
  ['text', 'data: \u00e9 \u4f60 \ud83d\ude00\u2028x\n\n', [data('\u00e9 \u4f60 \ud83d\ude00\u2028x')]],
  ['llama.cpp error, bare', 'error: {"code":500,"message":"x"}\n\n', [data('{"error":{"code":500,"message":"x"}}', 'error')]],
  ['llama.cpp error, wrapped', 'error: {"error":{"message":"x"}}\n\n', [data('{"error":{"message":"x"}}', 'error')]],
  ['error as text', 'error: out of "memory"\n\n', [data('{"error":"out of \\"memory\\""}', 'error')]],
  ['error event', 'event: error\ndata: {"error":{}}\n\n', [data('{"error":{}}', 'error')]],
];

describe('frames', () => {
  test.each(frames)('%s', (_name, text, events) => {
    expect(decode([encoder.encode(text)])).toEqual(events);
  });

  test.each(frames)('%s, cut at every byte and byte by byte', (_name, text, events) => {
    const bytes = encoder.encode(text);
    for (let place = 0; place <= bytes.length; place++) {
      expect(decode([bytes.subarray(0, place), bytes.subarray(place)])).toEqual(events);
    }
    expect(decode(Array.from(bytes, (byte) => Uint8Array.of(byte)))).toEqual(events);
  });

  test.each(['data: a\r\r', 'data: a\n\n', 'data: a\r\n\r\n'])('%j is delivered at its blank line, not later', (text) => {
    expect(createSseDecoder({ maxEventBytes: 100 }).push(encoder.encode(text))).toEqual([data('a')]);
  });
});

test('agrees with eventsource-parser on random streams and cuts', () => {
  const line = fc.oneof(
    fc.constantFrom('', '', 'data: [DONE]', 'data', ': x', 'event: e', 'event:', 'id: 1', 'foo', 'data:  x'),
    fc.string({ unit: 'grapheme' }).map((text) => `data: ${text.replace(/[\r\n]/g, '')}`),
  );
  fc.assert(
    fc.property(fc.array(line), fc.constantFrom('\n', '\r\n'), fc.integer({ min: 1, max: 40 }), (lines, end, size) => {
      const text = [...lines, '', ''].join(end);
      const expected: SseEvent[] = [];
      createParser({ onEvent: (event) => expected.push({ event: event.event ?? null, data: event.data }) }).feed(text);
      const bytes = encoder.encode(text);
      const pieces = Array.from({ length: Math.ceil(bytes.length / size) }, (_, index) =>
        bytes.subarray(index * size, (index + 1) * size),
      );
      expect(decode(pieces)).toEqual(expected);
    }),
  );
});

describe('limits', () => {
  const tooLarge = expect.objectContaining({ fault: 'event-too-large' }) as unknown;
  const catchError = (run: () => unknown): unknown => {
    try {
      return run();
    } catch (error) {
      expect(error).toBeInstanceOf(SseError);
      return error;
    }
  };

  test.each([
    ['one line', ['data: ', 'x'.repeat(101), '\n\n']],
    ['one line in one read', [`data: ${'x'.repeat(101)}\n\n`]],
    ['a line without end', ['data: ', ...Array.from({ length: 101 }, () => 'x')]],
    ['a comment without end', [`:${'x'.repeat(101)}`]],
    ['many lines', Array.from({ length: 60 }, () => 'data: x\n')],
    ['an error line', [`error: {${'x'.repeat(101)}\n`]],
  ])('an event beyond the cap is refused: %s', (_name, pieces) => {
    expect(
      catchError(() =>
        decode(
          pieces.map((piece) => encoder.encode(piece)),
          100,
        ),
      ),
    ).toEqual(tooLarge);
  });

  test('events up to the cap pass, however many', () => {
    const frame = encoder.encode(`data: ${'x'.repeat(94)}\n\n: ${'c'.repeat(90)}\n`);
    expect(
      decode(
        Array.from({ length: 1000 }, () => frame),
        100,
      ),
    ).toHaveLength(1000);
  });

  test.each([
    ['a stray byte', Uint8Array.of(0x64, 0xff, 0x0a)],
    ['a surrogate', Uint8Array.of(0xed, 0xa0, 0x80)],
    ['a code point cut at the end', Uint8Array.of(0x64, 0xe4, 0xbd)],
  ])('invalid UTF-8 is refused: %s', (_name, bytes) => {
    expect(catchError(() => decode([bytes]))).toMatchObject({ fault: 'invalid-utf8' });
  });

  test('a code point may be cut at every place', () => {
    const bytes = encoder.encode('data: \ud83d\ude00\u4f60\u00e9\n\n');
    for (let place = 0; place <= bytes.length; place++) {
      expect(decode([bytes.subarray(0, place), bytes.subarray(place)])).toEqual([data('\ud83d\ude00\u4f60\u00e9')]);
    }
  });

  test('a million reads of one byte are one event', () => {
    // Work that grew with the square of the length would not end within the test's time.
    const text = 'x'.repeat(1_000_000);
    const pieces = Array.from(encoder.encode(`data: ${text}\n\n`), (byte) => Uint8Array.of(byte));
    expect(decode(pieces)).toEqual([data(text)]);
  });
});
