/** Eight words of 32 bits. */
type State = readonly [number, number, number, number, number, number, number, number];

/** The first 32 bits of the fractional parts of the roots (of that degree) of the first primes: where FIPS 180-4 takes its constants from. */
function fractions(count: number, degree: 2 | 3): Uint32Array {
  const words = new Uint32Array(count);
  for (let candidate = 2, found = 0; found < count; candidate += 1) {
    if (!isPrime(candidate)) continue;
    const root = degree === 2 ? Math.sqrt(candidate) : Math.cbrt(candidate);
    words[found] = (root % 1) * 2 ** 32;
    found += 1;
  }
  return words;
}

function isPrime(candidate: number): boolean {
  for (let divisor = 2; divisor * divisor <= candidate; divisor += 1) if (candidate % divisor === 0) return false;
  return true;
}

function toState([a = 0, b = 0, c = 0, d = 0, e = 0, f = 0, g = 0, h = 0]: Uint32Array): State {
  return [a, b, c, d, e, f, g, h];
}

const roundConstants = fractions(64, 3);
const firstState = toState(fractions(8, 2));
const encoder = new TextEncoder();

/** SHA-256 (FIPS 180-4) of a text's UTF-8 bytes, as 64 hexadecimal digits. For rooms that compute without `node:crypto`, and for short texts. */
export function sha256(text: string): string {
  const bytes = pad(encoder.encode(text));
  let state = firstState;
  for (let start = 0; start < bytes.byteLength; start += 64) state = addBlock(state, new DataView(bytes.buffer, start, 64));
  return state.map((word) => (word >>> 0).toString(16).padStart(8, '0')).join('');
}

/** A one bit, zeros, and the length in bits, up to a multiple of 64 bytes. */
function pad(message: Uint8Array): Uint8Array<ArrayBuffer> {
  const padded = new Uint8Array(Math.ceil((message.length + 9) / 64) * 64);
  padded.set(message);
  padded[message.length] = 0x80;
  const view = new DataView(padded.buffer);
  view.setUint32(padded.length - 8, Math.floor(message.length / 2 ** 29));
  view.setUint32(padded.length - 4, message.length * 8);
  return padded;
}

function addBlock(state: State, block: DataView): State {
  let [a, b, c, d, e, f, g, h] = state;
  for (const [round, word] of toSchedule(block).entries()) {
    const choice = (e & f) ^ (~e & g);
    const majority = (a & b) ^ (a & c) ^ (b & c);
    const one = h + (turn(e, 6) ^ turn(e, 11) ^ turn(e, 25)) + choice + (roundConstants[round] ?? 0) + word;
    const two = (turn(a, 2) ^ turn(a, 13) ^ turn(a, 22)) + majority;
    [h, g, f, e, d, c, b, a] = [g, f, e, (d + one) | 0, c, b, a, (one + two) | 0];
  }
  const [i, j, k, l, m, n, o, p] = state;
  return [(i + a) | 0, (j + b) | 0, (k + c) | 0, (l + d) | 0, (m + e) | 0, (n + f) | 0, (o + g) | 0, (p + h) | 0];
}

function toSchedule(block: DataView): Uint32Array {
  const words = new Uint32Array(64);
  for (let at = 0; at < 16; at += 1) words[at] = block.getUint32(at * 4);
  for (let at = 16; at < 64; at += 1) {
    const old = words[at - 15] ?? 0;
    const recent = words[at - 2] ?? 0;
    const small = turn(old, 7) ^ turn(old, 18) ^ (old >>> 3);
    const large = turn(recent, 17) ^ turn(recent, 19) ^ (recent >>> 10);
    words[at] = (words[at - 16] ?? 0) + small + (words[at - 7] ?? 0) + large;
  }
  return words;
}

/** Rotates to the right. */
function turn(word: number, by: number): number {
  return (word >>> by) | (word << (32 - by));
}
