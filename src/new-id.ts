import { randomBytes } from 'node:crypto';

const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789';
const callIdLength = 24;

/**
 * A fresh id that nobody can guess: `resp_` and 48 hexadecimal digits (192 bits). `call_` ids are 24 letters and digits (142 bits), as real ones are: they travel to model
 * servers, some of which accept no more.
 */
export function newId(prefix: string): string {
  return prefix === 'call' ? `call_${randomLetters(callIdLength)}` : `${prefix}_${randomBytes(24).toString('hex')}`;
}

function randomLetters(length: number): string {
  let letters = '';
  while (letters.length < length) {
    for (const byte of randomBytes(length)) {
      // 248 = 4 × 62: above it some letters would come more often than others.
      if (byte < 248 && letters.length < length) letters += alphabet[byte % alphabet.length] ?? '';
    }
  }
  return letters;
}
