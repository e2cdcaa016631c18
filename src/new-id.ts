import { randomFillSync } from 'node:crypto';

const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789';
const callIdLength = 24;
/** Asking the system for random bytes costs as much for a few as for many: this many ids share one question. */
const idsAtOnce = 256;
const bytesOfId = 24;

/**
 * Makes fresh ids that nobody can guess: `resp_` and 48 hexadecimal digits (192 bits). `call_` ids are 24 letters and digits (142 bits), as real ones are: they travel to model
 * servers, some of which accept no more. No byte is used twice.
 */
export function createNewId(): (prefix: string) => string {
  const pool = Buffer.alloc(idsAtOnce * bytesOfId);
  let used = pool.length;

  function take(): Buffer {
    if (used === pool.length) {
      randomFillSync(pool);
      used = 0;
    }
    const bytes = pool.subarray(used, used + bytesOfId);
    used += bytesOfId;
    return bytes;
  }

  return (prefix) => (prefix === 'call' ? `call_${randomLetters(take)}` : `${prefix}_${take().toString('hex')}`);
}

function randomLetters(take: () => Buffer): string {
  let letters = '';
  while (letters.length < callIdLength) {
    for (const byte of take()) {
      // 248 = 4 × 62: above it some letters would come more often than others.
      if (byte < 248 && letters.length < callIdLength) letters += alphabet[byte % alphabet.length] ?? '';
    }
  }
  return letters;
}
