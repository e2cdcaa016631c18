import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { ThinkTags } from './think-tags.ts';

function split(...deltas: readonly string[]): { reasoning: string; text: string } {
  const tags = new ThinkTags();
  const pieces = [...deltas.flatMap((delta) => tags.push(delta)), ...tags.end()];
  const join = (type: string): string => pieces.flatMap((piece) => (piece.type === type ? [piece.text] : [])).join('');
  return { reasoning: join('reasoning'), text: join('text') };
}

describe('ThinkTags', () => {
  test.each([
    ['plain text', ['Hello', ' you'], { reasoning: '', text: 'Hello you' }],
    ['thinking', ['<think>\nI must add.\n</think>\n\n4'], { reasoning: 'I must add.', text: '4' }],
    ['cut tags', ['\n<th', 'ink>a', ' b</', 'think', '>', '\n', '\n4'], { reasoning: 'a b', text: '4' }],
    ['no opening tag', ['I must', ' add.\n</thi', 'nk>\n4'], { reasoning: 'I must add.', text: '4' }],
    ['empty thinking', ['<think>\n\n</think>\n\n', 'Hi'], { reasoning: '', text: 'Hi' }],
    ['cut inside thinking', ['<think>I must'], { reasoning: 'I must', text: '' }],
    [
      'a tag in the middle of the text after thinking',
      ['<think>a</think>b <think>c</think>'],
      { reasoning: 'a', text: 'b <think>c</think>' },
    ],
    ['less-than signs in thinking', ['<think>1 <', ' 2 </ 3', '</think>x'], { reasoning: '1 < 2 </ 3', text: 'x' }],
    ['white space only', [' \n', ' '], { reasoning: '', text: ' \n ' }],
  ])('%s', (_name, deltas, expected) => {
    expect(split(...deltas)).toEqual(expected);
  });

  test('thinking is handed out as it comes, not at its end', () => {
    const tags = new ThinkTags();
    tags.push('<think>');
    expect(tags.push('step one')).toEqual([{ type: 'reasoning', text: 'step one' }]);
  });

  test('where the text is cut makes no difference', () => {
    const answers = fc.constantFrom(
      '<think>\na <b> c\n\nd</think>\n\nText </think> more',
      'a\nb</think>\nText',
      '\n\n<think></think>x',
      'no tags at all\n',
    );
    fc.assert(
      fc.property(answers, fc.array(fc.nat(40)), (answer, cuts) => {
        const places = [...new Set(cuts.filter((cut) => cut < answer.length))].sort((a, b) => a - b);
        const deltas = [0, ...places].map((from, at) => answer.slice(from, [...places, answer.length][at]));
        expect(split(...deltas)).toEqual(split(answer));
      }),
    );
  });

  test('a long answer without tags takes linear time', () => {
    const tags = new ThinkTags();
    for (let count = 0; count < 300_000; count += 1) tags.push('word ');
    expect(tags.end()[0]?.text).toHaveLength(1_500_000);
  });
});
