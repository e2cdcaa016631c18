import { expect, test } from 'vitest';
import { toTurnError } from './to-turn-error.ts';

test("an error step's words are shown without our credentials", () => {
  const server = { cleanText: (text: string) => text.replace('token-0123', '[secret]') };
  const error = toTurnError(
    { type: 'step', text: 'The model refused token-0123.' },
    { backendName: 'agent', server, model: null, tapName: null },
  );
  expect(error.message).toContain('The model refused [secret].');
  expect(error.message).not.toContain('token-0123');
});

test.each([
  ['agent-tap', true],
  [null, false],
])('a turn whose calls the tap %s refused points at its log: %s', (tapName, isNamed) => {
  const server = { cleanText: (text: string) => text };
  const { message } = toTurnError({ type: 'cut', text: '' }, { backendName: 'agent', server, model: null, tapName });
  expect(message).toContain("lost the model's answer");
  expect(message.includes('No model call of this turn came through the tap agent-tap')).toBe(isNamed);
});
