import { randomBytes } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { GatewayError } from '../model/errors.ts';
import { createReasoningEnvelope } from './reasoning-envelope.ts';

const key = new Uint8Array(32).fill(7);
const envelope = createReasoningEnvelope({ keys: [key], randomBytes });
const states = [{ format: 'gemini', model: 'gemini-3-pro', data: { entries: [{ on: 'call', signature: 'c2ln' }] } }];

function codeOf(open: () => unknown): string | undefined {
  try {
    open();
    return undefined;
  } catch (thrown) {
    return thrown instanceof GatewayError ? thrown.code : String(thrown);
  }
}

describe('the reasoning envelope', () => {
  test('gives back what was sealed', () => {
    expect(envelope.open(envelope.seal(states, 'ann'), 'ann', 'p')).toEqual(states);
  });

  test('shows nothing of what is inside, and never the same text twice', () => {
    const sealed = envelope.seal(states, 'ann');
    expect(atob(sealed.slice('antiphon.v1.'.length).replaceAll('-', '+').replaceAll('_', '/'))).not.toContain('gemini');
    expect(envelope.seal(states, 'ann')).not.toBe(sealed);
  });

  test('no flipped bit is accepted', () => {
    const [prefix, sealed] = [envelope.seal(states, 'ann').slice(0, 12), envelope.seal(states, 'ann').slice(12)];
    const bytes = Buffer.from(sealed, 'base64url');
    let accepted = 0;
    for (let bit = 0; bit < bytes.length * 8; bit++) {
      const altered = Buffer.from(bytes);
      altered[bit >> 3]! ^= 1 << (bit & 7);
      let opened: unknown;
      const code = codeOf(() => {
        opened = envelope.open(prefix + altered.toString('base64url'), 'ann', 'p');
      });
      // In the key's id a flipped bit makes it somebody else's envelope, of which nothing is used either.
      if (code === undefined ? opened !== null : code !== 'invalid_encrypted_content') accepted++;
    }
    console.log(`flipped bits: ${String(accepted)} accepted / ${String(bytes.length * 8)} tried`);
    expect(accepted).toBe(0);
  });

  test.each([
    ['another owner', (text: string) => envelope.open(text, 'bob', 'p')],
    ['a cut text', (text: string) => envelope.open(text.slice(0, 30), 'ann', 'p')],
  ])('%s is refused', (_case, open) => {
    expect(codeOf(() => open(envelope.seal(states, 'ann')))).toBe('invalid_encrypted_content');
  });

  test("somebody else's envelope is not ours to judge", () => {
    const other = createReasoningEnvelope({ keys: [new Uint8Array(32)], randomBytes });
    expect(envelope.open('gAAAAABo…', 'ann', 'p')).toBeNull();
    expect(envelope.open('antiphon.v1.', 'ann', 'p')).toBeNull();
    expect(envelope.open(other.seal(states, 'ann'), 'ann', 'p')).toBeNull();
  });

  test('after a rotation the old key still opens', () => {
    const rotated = createReasoningEnvelope({ keys: [new Uint8Array(32).fill(9), key], randomBytes });
    expect(rotated.open(envelope.seal(states, 'ann'), 'ann', 'p')).toEqual(states);
  });
});
