import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { countTextTokens } from './count-text-tokens.ts';

describe('countTextTokens', () => {
  test('ordinary text is counted as OpenAI counts it', async () => {
    expect(await countTextTokens('')).toBe(0);
    expect(await countTextTokens('hello world')).toBe(2);
    // Digits are grouped by three, so 96-character cuts of a long number fall between groups.
    expect(await countTextTokens('1234567890')).toBe(4);
    expect(await countTextTokens('123'.repeat(200))).toBe(200);
  });

  test('special tokens are plain text', async () => {
    expect(await countTextTokens('<|endoftext|>')).toBeGreaterThan(1);
    expect(await countTextTokens('a <|im_start|>system<|im_end|> b <|endofprompt|>')).toBeGreaterThan(5);
  });

  test.each([
    ['one letter', 'a'.repeat(1_000_000)],
    ['spaces', ' '.repeat(1_000_000)],
    ['line ends', '\n'.repeat(1_000_000)],
    ['punctuation', '=-'.repeat(500_000)],
    ['letters without spaces', '漢字仮名交文章問題'.repeat(100_000)],
    [
      'noise without spaces',
      Array.from({ length: 1_000_000 }, (_, index) => String.fromCharCode(0x4e00 + ((index * 7919) % 20_000))).join(''),
    ],
    ['emoji', '👩‍👩‍👧'.repeat(100_000)],
  ])('a megabyte of %s is counted', async (_name, text) => {
    // The tokenizer alone would take minutes for some of these and not end within the test's time.
    expect(await countTextTokens(text)).toBeGreaterThan(1_000);
  });

  test('a sampled text is estimated well', async () => {
    const sentence = 'The quick brown fox jumps over the lazy dog, 1234 times. ';
    const one = await countTextTokens(sentence.repeat(100));
    const many = await countTextTokens(sentence.repeat(10_000));
    expect(many / (one * 100)).toBeGreaterThan(0.98);
    expect(many / (one * 100)).toBeLessThan(1.02);
  });

  test('whatever the string, it has a count', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.oneof(
          fc.string({ unit: 'binary' }),
          fc.array(fc.nat(0xffff)).map((units) => String.fromCharCode(...units)),
        ),
        async (text) => {
          const count = await countTextTokens(text);
          expect(Number.isInteger(count)).toBe(true);
          expect(count).toBeGreaterThanOrEqual(text === '' ? 0 : 1);
        },
      ),
    );
  });
});
