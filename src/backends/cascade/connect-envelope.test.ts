import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { encodeEnvelope, EnvelopeDecoder } from './connect-envelope.ts';

const cap = 1024 * 1024;

/** All messages of these pieces, as text. */
function decode(pieces: readonly Uint8Array[], decoder = new EnvelopeDecoder(cap)): { flags: number; text: string }[] {
  return pieces
    .flatMap((piece) => decoder.push(piece))
    .map(({ flags, payload }) => ({ flags, text: Buffer.from(payload).toString() }));
}

function cutAt(bytes: Uint8Array, cuts: readonly number[]): Uint8Array[] {
  const places = [0, ...cuts.map((cut) => cut % (bytes.length + 1)).sort((a, b) => a - b), bytes.length];
  return places.slice(1).map((end, index) => bytes.subarray(places[index], end));
}

test('the header: one byte of flags, four of length, big-endian', () => {
  expect([...encodeEnvelope('{}', 2)]).toEqual([2, 0, 0, 0, 2, 0x7b, 0x7d]);
  expect([...encodeEnvelope('é'.repeat(300)).subarray(0, 5)]).toEqual([0, 0, 0, 2, 88]);
});

test('whatever the messages and wherever they are cut, they come out as they were', () => {
  const message = fc.record({ flags: fc.constantFrom(0, 1, 2, 3), text: fc.string({ unit: 'grapheme', maxLength: 400 }) });
  fc.assert(
    fc.property(fc.array(message, { maxLength: 8 }), fc.array(fc.nat(), { maxLength: 20 }), (messages, cuts) => {
      const bytes = Buffer.concat(messages.map(({ flags, text }) => encodeEnvelope(text, flags)));
      const decoder = new EnvelopeDecoder(cap);
      expect(decode(cutAt(bytes, cuts), decoder)).toEqual(messages);
      expect(decoder.isEmpty).toBe(true);
    }),
  );
});

test('byte by byte', () => {
  const bytes = Buffer.concat([encodeEnvelope('{"a":1}'), encodeEnvelope(''), encodeEnvelope('{}', 2)]);
  const decoder = new EnvelopeDecoder(cap);
  expect(
    decode(
      [...bytes].map((byte) => Uint8Array.of(byte)),
      decoder,
    ).map(({ text }) => text),
  ).toEqual(['{"a":1}', '', '{}']);
});

test('the rest of a cut stream is seen', () => {
  fc.assert(
    fc.property(fc.string({ maxLength: 50 }), fc.nat(), (text, cut) => {
      const bytes = encodeEnvelope(text);
      const decoder = new EnvelopeDecoder(cap);
      expect(decode([bytes.subarray(0, 1 + (cut % (bytes.length - 1)))], decoder)).toEqual([]);
      expect(decoder.isEmpty).toBe(false);
    }),
  );
});

describe('the cap', () => {
  const header = (length: number): Uint8Array => {
    const bytes = Buffer.alloc(5);
    bytes.writeUInt32BE(length, 1);
    return bytes;
  };

  test('a larger payload is refused at its header, before anything of it is kept', () => {
    expect(() => new EnvelopeDecoder(10).push(header(11))).toThrow(RangeError);
    expect(() => new EnvelopeDecoder(10).push(header(0xffffffff))).toThrow(/4294967295 bytes/);
  });

  test('a payload of exactly that size passes', () => {
    expect(decode([header(10), Buffer.from('0123456789')], new EnvelopeDecoder(10))).toEqual([{ flags: 0, text: '0123456789' }]);
  });
});

test('many small messages in one piece are not copied again and again', () => {
  const one = encodeEnvelope('{"update":{}}');
  const decoder = new EnvelopeDecoder(cap);
  const envelopes = decoder.push(Buffer.concat(Array.from({ length: 50_000 }, () => one)));
  expect(envelopes).toHaveLength(50_000);
  const buffers = new Set(envelopes.map(({ payload }) => payload.buffer));
  expect(buffers.size).toBe(1);
});
