import { describe, expect, test } from 'vitest';
import { answerStep, stepOf } from '../../../test/doubles/scripted-agent-server.ts';
import { hasUnseenAnswer } from './has-unseen-answer.ts';
import { readStep } from './read-step.ts';

const toSteps = (...texts: readonly string[]) => texts.map((text) => readStep(answerStep(text)));
const tool = readStep(stepOf('VIEW_FILE', 'DONE'));

describe('an answer that the tap did not see', () => {
  test('is one more than the calls it saw, with other words', () => {
    expect(hasUnseenAnswer([...toSteps('I look.'), tool, ...toSteps('Found.')], { mainCalls: 1, said: 'I look.' })).toBe(true);
    expect(hasUnseenAnswer(toSteps('', ' Found. '), { mainCalls: 1, said: '' })).toBe(true);
  });

  test('is none where each step is of a call that was seen, whatever the agent made of its text', () => {
    expect(hasUnseenAnswer(toSteps('I look.', 'Found.'), { mainCalls: 2, said: 'I look.Found.' })).toBe(false);
    expect(hasUnseenAnswer(toSteps('I look.', 'Edited: found.'), { mainCalls: 2, said: 'I look.Found.' })).toBe(false);
    // A call that failed and was made again may have left one step only.
    expect(hasUnseenAnswer(toSteps('Other'), { mainCalls: 3, said: 'Found.' })).toBe(false);
  });

  test('is none where one answer became several steps, or the last ones say nothing', () => {
    expect(hasUnseenAnswer(toSteps('One.', 'Two. '), { mainCalls: 1, said: 'One.\n\nTwo.' })).toBe(false);
    expect(hasUnseenAnswer(toSteps('One.', '', ''), { mainCalls: 1, said: 'One.' })).toBe(false);
    expect(hasUnseenAnswer([tool, null], { mainCalls: 0, said: '' })).toBe(false);
  });
});
