import fc from 'fast-check';
import { expect, test } from 'vitest';
import { toWellFormedJson } from './to-well-formed-json.ts';

test.each([
  [String.raw`"cut \ud83d"`, String.raw`"cut \ufffd"`],
  [String.raw`"\uDE00 and \uD83Dx"`, String.raw`"\ufffd and \ufffdx"`],
  [String.raw`"\ud83d\ud83d\ude00\ude00"`, String.raw`"\ufffd\ud83d\ude00\ufffd"`],
  [String.raw`{"\udfff":"\n"}`, String.raw`{"\ufffd":"\n"}`],
])('half of a pair is replaced: %s', (json, mended) => {
  expect(toWellFormedJson(json)).toBe(mended);
});

test.each([String.raw`"\ud83d\ude00 \u00e9 \\ud83d \\\\ude00"`, '"🙂"', '{}', String.raw`"\ue000"`])(
  'stays as it is: %s',
  (json) => {
    expect(toWellFormedJson(json)).toBe(json);
  },
);

/** As UTF-8 carries it. */
function encoded(text: string): string {
  return Buffer.from(text).toString();
}

test('any text comes through as an encoder of UTF-8 would have it', () => {
  const unit = fc.oneof(fc.integer({ min: 0xd700, max: 0xe0ff }), fc.integer({ min: 0, max: 0x7f }), fc.constant(0x5c));
  const text = fc.array(unit, { maxLength: 12 }).map((units) => String.fromCharCode(...units));
  fc.assert(
    fc.property(text, text, (name, value) => {
      const wanted = { [encoded(name)]: encoded(value) };
      expect(JSON.parse(toWellFormedJson(JSON.stringify({ [name]: value })))).toEqual(wanted);
    }),
  );
});
