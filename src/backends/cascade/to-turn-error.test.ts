import { expect, test } from 'vitest';
import { toTurnError } from './to-turn-error.ts';

test("an error step's words are shown without our credentials", () => {
  const server = { cleanText: (text: string) => text.replace('token-0123', '[secret]') };
  const error = toTurnError(
    { type: 'step', text: 'The model refused token-0123.' },
    { backendName: 'agent', server, model: null },
  );
  expect(error.message).toContain('The model refused [secret].');
  expect(error.message).not.toContain('token-0123');
});
