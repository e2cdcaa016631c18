import { expect, test } from 'vitest';
import { GatewayError } from '../../model/errors.ts';
import { toAnthropicError } from './to-anthropic-error.ts';

function messageOf(code: 'context_length_exceeded' | 'invalid_value', message: string, param: string | null): string {
  return toAnthropicError(new GatewayError(code, message, param === null ? {} : { param }), null).error.message;
}

test.each([
  ['Input token count 3 exceeds the maximum of 2', 'prompt is too long: Input token count 3 exceeds the maximum of 2'],
  ['prompt is too long: 3 tokens > 2 maximum', 'prompt is too long: 3 tokens > 2 maximum'],
  [
    'input length and `max_tokens` exceed context limit: 3 + 1 > 2',
    'input length and `max_tokens` exceed context limit: 3 + 1 > 2',
  ],
])('a prompt that does not fit is told in the words on which clients compact: %s', (said, shown) => {
  expect(messageOf('context_length_exceeded', said, 'messages')).toBe(shown);
});

test('the message leads with the place of the mistake, once', () => {
  expect(messageOf('invalid_value', 'No such thing.', 'tools[0].name')).toBe('tools[0].name: No such thing.');
  expect(messageOf('invalid_value', "Invalid 'tools[0].name'.", 'tools[0].name')).toBe("Invalid 'tools[0].name'.");
  expect(messageOf('invalid_value', 'No.', null)).toBe('No.');
});
