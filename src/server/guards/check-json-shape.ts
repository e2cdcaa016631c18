import { GatewayError } from '../../model/errors.ts';

const maxDepth = 128;
const maxValues = 500_000;

const quote = 0x22;
const comma = 0x2c;
const backslash = 0x5c;
const openBracket = 0x5b;
const closeBracket = 0x5d;
const openBrace = 0x7b;
const closeBrace = 0x7d;

/**
 * Refuses JSON that would stall the process in `JSON.parse` (seconds for some 16 MiB bodies), looking only at the bytes: nesting up to 128, up to 500,000 values. Costs about 1 ms a MiB. It does
 * not check that the text is JSON.
 */
export function checkJsonShape(bytes: Uint8Array): void {
  let depth = 0;
  let values = 1;
  for (let at = 0; at < bytes.length; at++) {
    switch (bytes[at]) {
      case quote:
        at = endOfString(bytes, at);
        break;
      case openBracket:
      case openBrace:
        if (++depth > maxDepth) throw tooComplex(`it is nested more than ${String(maxDepth)} levels deep`);
        values++;
        break;
      case closeBracket:
      case closeBrace:
        depth--;
        break;
      case comma:
        values++;
        break;
      default:
        break;
    }
    if (values > maxValues) throw tooComplex(`it holds more than ${String(maxValues)} values`);
  }
}

/** Index of the closing quote of the string that opens at `start`. `indexOf` runs at memory speed, so long texts and images cost next to nothing. */
function endOfString(bytes: Uint8Array, start: number): number {
  let at = start;
  for (;;) {
    at = bytes.indexOf(quote, at + 1);
    if (at < 0) return bytes.length;
    let slashes = 0;
    while (bytes[at - 1 - slashes] === backslash) slashes++;
    if (slashes % 2 === 0) return at;
  }
}

function tooComplex(reason: string): GatewayError {
  return new GatewayError('json_too_complex', `The JSON body is refused because ${reason}.`);
}
