import fc from 'fast-check';
import { expect, test } from 'vitest';
import { createSseDecoder } from '../../lib/sse-decoder.ts';
import { FrameCutter } from './frame-cutter.ts';

const pieces = fc.constantFrom('data: {"a":1}', 'data: é🌤', ': comment', 'event: x', 'x', '', '', '');
const lineEnds = fc.constantFrom('\n', '\r\n', '\r');

test('wherever the reads are cut: every byte goes on in order, and with each read exactly the events that it completed', () => {
  fc.assert(
    fc.property(fc.array(pieces, { maxLength: 20 }), lineEnds, fc.array(fc.nat(12), { minLength: 1 }), (lines, end, sizes) => {
      const bytes = Buffer.from(lines.map((line) => line + end).join(''));
      const cutter = new FrameCutter();
      const decoder = createSseDecoder({ maxEventBytes: 1000 });
      const passed: Uint8Array[] = [];
      let decoded = 0;
      for (let at = 0, turn = 0; at < bytes.length; turn += 1) {
        const size = 1 + (sizes[turn % sizes.length] ?? 0);
        const read = bytes.subarray(at, at + size);
        passed.push(cutter.push(read));
        decoded += decoder.push(read).length;
        // What has gone on holds all events that have been read, and no others.
        const again = createSseDecoder({ maxEventBytes: 1000 });
        expect(again.push(Buffer.concat(passed)).length).toBe(decoded);
        at += size;
      }
      expect(Buffer.concat([...passed, cutter.rest()])).toEqual(bytes);
    }),
    { numRuns: 500 },
  );
});

test('a read that ends with a frame goes on itself, uncopied', () => {
  const read = Buffer.from('data: 1\n\ndata: 2\n\n');
  expect(new FrameCutter().push(read)).toBe(read);
});
