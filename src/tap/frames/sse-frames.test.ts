import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { FrameTooLargeError, joinBytes, type FrameFormat, type RawFrame } from './frame-format.ts';
import { createSseFrames } from './sse-frames.ts';

const lineEnd = fc.constantFrom('\n', '\r\n', '\r');
const line = fc.oneof(
  fc.constantFrom('data: {"a":1}', 'data:{"b":"é😀"}', 'data', ': comment', 'event: x', 'retry: 1', '', 'data: [DONE]'),
  fc.string({ maxLength: 6 }),
);
/** Bytes of something like an event stream, in any line ends, mixed too, and where it is cut. */
const cutStream = fc
  .tuple(fc.array(fc.tuple(line, lineEnd), { maxLength: 20 }), fc.array(fc.nat(), { maxLength: 12 }))
  .map(([lines, marks]) => {
    const bytes = Buffer.from(lines.flat().join(''));
    const cuts = [...new Set(marks.map((mark) => mark % (bytes.length + 1)))].sort((left, right) => left - right);
    return { bytes, pieces: [...cuts, bytes.length].map((end, at) => bytes.subarray(cuts[at - 1] ?? 0, end)) };
  });

function split(format: FrameFormat, pieces: readonly Uint8Array[]): readonly RawFrame[] {
  return [...pieces.flatMap((piece) => format.split(piece)), ...format.splitEnd()];
}

function show({ bytes, json }: RawFrame): unknown {
  return { bytes: Buffer.from(bytes).toString('hex'), json };
}

function texts(stream: string): readonly (string | null)[] {
  return split(createSseFrames(1000), [Buffer.from(stream)]).map((frame) => frame.json);
}

test('any cut gives the same frames, and joined again they are the input', () => {
  fc.assert(
    fc.property(cutStream, ({ bytes, pieces }) => {
      const format = createSseFrames(10_000);
      const frames = split(format, pieces);
      expect(frames.map(show)).toEqual(split(createSseFrames(10_000), [bytes]).map(show));
      const joined = joinBytes([...frames.map((frame) => format.join(frame, { type: 'pass' })), format.joinEnd([])]);
      expect(Buffer.from(joined).equals(bytes)).toBe(true);
    }),
    { numRuns: 500 },
  );
});

describe('what a frame is', () => {
  test.each([
    ['LF', 'data: 1\n\ndata: 2\n\n', ['1', '2']],
    ['CRLF', 'data: 1\r\n\r\ndata: 2\r\n\r\n', ['1', '2']],
    ['CR', 'data: 1\r\rdata: 2\r\r', ['1', '2']],
    ['mixed', 'data: 1\n\rdata: 2\r\n\n', ['1', '2']],
    ['several data lines', 'data: {\ndata:  "a":1}\n\n', ['{\n "a":1}']],
    ['other lines', ': hello\nevent: x\ndata: 1\nid: 3\n\n', ['1']],
    ['a comment alone', ': hello\n\ndata: 1\n\n', [null, '1']],
    ['no blank line at the end', 'data: 1\n\ndata: 2\n', ['1', '2']],
    ['data without a space, and without a value', 'data:1\n\ndata\n\n', ['1', '']],
    ['a byte order mark', '\uFEFFdata: 1\n\n', ['1']],
    ['something that only begins like data', 'database: 1\n\n', [null]],
  ])('%s', (_name, stream, frames) => {
    expect(texts(stream)).toEqual(frames);
  });
});

test('a frame is there with its last byte, whatever ends its lines', () => {
  for (const stream of ['data: 1\n\n', 'data: 1\r\n\r\n', 'data: 1\r\r'])
    expect(createSseFrames(100).split(Buffer.from(stream))).toHaveLength(1);
});

test('a replaced frame keeps its other lines and its line ends', () => {
  const format = createSseFrames(1000);
  const [frame] = format.split(Buffer.from(': c\r\nevent: x\r\ndata: {\r\ndata: }\r\n\r\n'));
  const joined = format.join(frame!, { type: 'replace', json: '{"b":2}' });
  expect(Buffer.from(joined).toString()).toBe(': c\r\nevent: x\r\ndata: {"b":2}\r\n\r\n');
  expect(format.join(frame!, { type: 'leave-out' })).toHaveLength(0);
});

test('frames that are added end as the others do', () => {
  const format = createSseFrames(1000);
  for (const frame of format.split(Buffer.from('data: 1\n\n'))) format.join(frame, { type: 'pass' });
  expect(Buffer.from(format.joinEnd(['2', '3'])).toString()).toBe('data: 2\n\ndata: 3\n\n');
  expect(Buffer.from(createSseFrames(10).joinEnd(['2'])).toString()).toBe('data: 2\r\n\r\n');
});

test('a frame that does not end is refused, many small ones are not', () => {
  const format = createSseFrames(100);
  for (let count = 0; count < 50; count++) format.split(Buffer.from('data: 0123456789\n\n'));
  expect(() => {
    for (let count = 0; count < 11; count++) format.split(Buffer.from('0123456789'));
  }).toThrow(FrameTooLargeError);
});

test('text that is not UTF-8 goes on as it came', () => {
  const format = createSseFrames(100);
  const bytes = Buffer.concat([Buffer.from('data: '), Buffer.from([0xff]), Buffer.from('\n\n')]);
  const [frame] = format.split(bytes);
  expect(frame?.json).toBe('\uFFFD');
  expect(Buffer.from(format.join(frame!, { type: 'pass' })).equals(bytes)).toBe(true);
});
