import { expect, test } from 'vitest';
import { Secret } from '../../model/secret.ts';
import { redactSecrets } from './clean-message.ts';
import { knownSecrets } from './known-secrets.ts';

test('what a server was sent is hidden in its words, with and without its scheme; short words of headers are not', () => {
  const secrets = knownSecrets(new Secret('sk-1'), {
    Authorization: 'Bearer token-0123',
    'X-Key': 'key-012345678',
    'X-Title': 'agents',
  });
  const text = 'sk-1, Bearer token-0123, token-0123, key-012345678, agents';
  expect(redactSecrets(text, secrets)).toBe('[secret], [secret], [secret], [secret], agents');
  expect(knownSecrets(null)).toEqual([]);
});
