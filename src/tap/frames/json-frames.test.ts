import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { FrameTooLargeError, joinBytes, type FrameChange, type FrameFormat, type RawFrame } from './frame-format.ts';
import { createJsonFrames } from './json-frames.ts';

const options = { maxFrameBytes: 100_000, isArrayExpected: true };
const space = fc.constantFrom('', ' ', '\n', '\r\n', '\t ');
const value = fc.oneof(
  fc.json({ maxDepth: 2 }),
  fc.constantFrom('"]"', '{"a":"}\\"],["}', '[[],{}]', '12', 'true', '{"😀":"\\\\"}', '""'),
);
const array = fc.array(fc.tuple(value, space, space), { maxLength: 6 }).chain((elements) =>
  fc.tuple(space, space, space).map(([before, inside, after]) => ({
    elements: elements.map(([text]) => text),
    text: `${before}[${inside}${elements.map(([text, left, right]) => left + text + right).join(',')}]${after}`,
  })),
);

function split(format: FrameFormat, pieces: readonly Uint8Array[]): readonly RawFrame[] {
  return [...pieces.flatMap((piece) => format.split(piece)), ...format.splitEnd()];
}

function cutAt(bytes: Buffer, marks: readonly number[]): readonly Buffer[] {
  const cuts = [...new Set(marks.map((mark) => mark % (bytes.length + 1)))].sort((left, right) => left - right);
  return [...cuts, bytes.length].map((end, at) => bytes.subarray(cuts[at - 1] ?? 0, end));
}

function join(text: string, changes: (frame: RawFrame) => FrameChange, more: readonly string[] = []): string {
  const format = createJsonFrames(options);
  const frames = split(format, [Buffer.from(text)]);
  return Buffer.from(joinBytes([...frames.map((frame) => format.join(frame, changes(frame))), format.joinEnd(more)])).toString();
}

const pass = { type: 'pass' } as const;
const leaveOut = { type: 'leave-out' } as const;

test('any cut gives the elements, and joined again they are the input', () => {
  fc.assert(
    fc.property(array, fc.array(fc.nat(), { maxLength: 12 }), ({ elements, text }, marks) => {
      const bytes = Buffer.from(text);
      const format = createJsonFrames(options);
      const frames = split(format, cutAt(bytes, marks));
      expect(frames.map((frame) => frame.json)).toEqual(elements);
      const joined = joinBytes([...frames.map((frame) => format.join(frame, pass)), format.joinEnd([])]);
      expect(Buffer.from(joined).equals(bytes)).toBe(true);
    }),
    { numRuns: 500 },
  );
});

test('anything at all comes out as it went in', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 60 }), fc.boolean(), fc.array(fc.nat(), { maxLength: 5 }), (noise, isArray, marks) => {
      const bytes = Buffer.concat([Buffer.from(isArray ? '[' : ''), noise]);
      const format = createJsonFrames(options);
      const frames = split(format, cutAt(bytes, marks));
      const joined = joinBytes([...frames.map((frame) => format.join(frame, pass)), format.joinEnd([])]);
      expect(Buffer.from(joined).equals(bytes)).toBe(true);
    }),
  );
});

test('whatever is left out, replaced and added, the result is an array of what is left', () => {
  const change = fc.constantFrom('pass', 'leave-out', 'replace');
  const more = fc.array(fc.constantFrom('"x"', '{}'), { maxLength: 2 });
  fc.assert(
    fc.property(array, fc.array(change, { minLength: 6, maxLength: 6 }), more, ({ elements, text }, changes, added) => {
      let at = 0;
      const result = join(
        text,
        () => {
          const kind = changes[at++] ?? 'pass';
          return kind === 'replace' ? { type: 'replace', json: '"new"' } : kind === 'pass' ? pass : leaveOut;
        },
        added,
      );
      const kept = elements.flatMap((element, index) => {
        if (changes[index] === 'leave-out') return [];
        return [changes[index] === 'replace' ? 'new' : (JSON.parse(element) as unknown)];
      });
      expect(JSON.parse(result)).toEqual([...kept, ...added.map((json) => JSON.parse(json) as unknown)]);
    }),
    { numRuns: 500 },
  );
});

test('an element is there with its last byte', () => {
  const format = createJsonFrames(options);
  expect(format.split(Buffer.from('[{"a":"}"'))).toHaveLength(0);
  expect(format.split(Buffer.from('}'))).toHaveLength(1);
  expect(format.split(Buffer.from('\n,\r\n{"a":2}'))[0]?.json).toBe('{"a":2}');
});

describe('a body that is no array is one frame', () => {
  test('an object', () => {
    expect(join(' {"a":[1]} ', () => pass)).toBe(' {"a":[1]} ');
    expect(join('{"a":1}', () => ({ type: 'replace', json: '{"b":2}' }))).toBe('{"b":2}');
    expect(join('{"a":1}', () => pass, ['{"c":3}'])).toBe('{"a":1}');
    expect(join('{"a":1}', () => leaveOut, ['{"c":3}'])).toBe('{"c":3}');
  });

  test('nothing', () => {
    expect(join('', () => pass)).toBe('');
    expect(join(' \n', () => pass)).toBe(' \n');
    expect(join('', () => pass, ['1', '2'])).toBe('[1,\r\n2]');
    const whole = createJsonFrames({ ...options, isArrayExpected: false });
    expect(whole.splitEnd()).toEqual([]);
    expect(Buffer.from(whole.joinEnd(['{"a":1}'])).toString()).toBe('{"a":1}');
  });

  test('an array whose end is missing', () => {
    expect(join('[{"a":1},{"b', () => pass)).toBe('[{"a":1},{"b');
    expect(join('[{"a":1}', () => pass, ['2'])).toBe('[{"a":1},\r\n2');
  });
});

test('an element that does not end is refused, many small ones are not', () => {
  const format = createJsonFrames({ ...options, maxFrameBytes: 100 });
  format.split(Buffer.from('['));
  for (let count = 0; count < 50; count++) format.split(Buffer.from('{"a":"0123456789"},'));
  expect(() => {
    format.split(Buffer.from('{"a":"'));
    for (let count = 0; count < 11; count++) format.split(Buffer.from('0123456789'));
  }).toThrow(FrameTooLargeError);
});
