import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { SnapshotText } from './snapshot-text.ts';

/** What goes out for each snapshot in turn. */
function grow(...snapshots: readonly string[]): readonly string[] {
  const text = new SnapshotText();
  return snapshots.map((snapshot) => text.grow(snapshot));
}

describe('a growing text', () => {
  test('goes out as far as two snapshots agree, up to a word boundary', () => {
    expect(grow('Hel', 'Hello wor', 'Hello world is', 'Hello world is it.')).toEqual(['', '', 'Hello ', 'world is']);
  });

  test('a tail that changes before it went out is never seen', () => {
    expect(grow('The answer is 41', 'The answer is 42', 'The answer is 42 now')).toEqual(['', 'The answer is ', '42']);
  });

  test('scripts without spaces between words flow', () => {
    expect(grow('今日は', '今日は良い', '今日は良い天気')).toEqual(['', '今日は', '良い']);
  });

  test('a run without any boundary flows as well', () => {
    const run = 'a'.repeat(100);
    expect(grow(run, `${run}b`)).toEqual(['', run]);
  });

  test('an emoji is never cut, not where a snapshot cuts it and not where two of them agree on half of it', () => {
    expect(grow('a 😀', 'a \u{1F601} b')).toEqual(['', 'a ']);
    expect(grow('a \ud83d', 'a \ud83d', 'a 😀 b')).toEqual(['', 'a ', '']);
  });

  test('what was taken back is not sent again when it comes back', () => {
    expect(grow('one two three ', 'one two three ', 'one', 'one', 'one two three four ', 'one two three four ')).toEqual([
      ...['', 'one two three ', '', '', '', 'four '],
    ]);
  });
});

test('a complete text brings the rest, and null when it is another text', () => {
  const text = new SnapshotText();
  text.grow('one two');
  text.grow('one two');
  expect(text.complete('one two three')).toBe('two three');
  expect(text.complete('one two three')).toBe('');
  expect(text.complete('one 2')).toBeNull();
  expect(text.restart('one 2')).toBe('one 2');
  expect(text.complete('one 2!')).toBe('!');
});

test('whatever the snapshots are, what goes out is always a beginning of the text, whole characters, nothing twice', () => {
  const piece = fc.constantFrom('word', ' ', '😀', 'é', '中', '.', '\n', 'long-word-1');
  fc.assert(
    fc.property(fc.array(piece, { maxLength: 30 }), fc.integer({ min: 1, max: 4 }), (pieces, stride) => {
      const whole = pieces.join('');
      const text = new SnapshotText();
      let sent = '';
      for (let end = 0; end < whole.length; end += stride) {
        sent += text.grow(whole.slice(0, end));
        expect(whole.startsWith(sent)).toBe(true);
        expect(sent).not.toMatch(/\p{Surrogate}/u);
      }
      expect(sent + (text.complete(whole) ?? '')).toBe(whole);
    }),
  );
});
