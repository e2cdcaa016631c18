import { brotliCompressSync, constants, deflateRawSync, deflateSync, gzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { errorLine, sendHttp, type HttpAnswer } from '../doubles/send-http.ts';
import { startGateway, type StartedGateway } from '../doubles/start-gateway.ts';

const cap = 32 * 1024 * 1024;
const small = JSON.stringify({ model: 'rehearsal/default', input: 'Hello' });

let gateway: StartedGateway;
beforeAll(async () => {
  gateway = await startGateway();
});
afterAll(() => gateway.close());

interface Body {
  readonly headers?: Record<string, string>;
  readonly chunked?: boolean;
  readonly path?: string;
}

async function send(body: string | Uint8Array, { headers = {}, ...rest }: Body = {}): Promise<HttpAnswer> {
  return sendHttp(gateway.url, {
    path: '/v1/responses',
    body,
    headers: { 'content-type': 'application/json', ...headers },
    ...rest,
  });
}

/** Status and error of what a body meets; `200` when it was taken. */
async function fate(body: string | Uint8Array, settings: Body = {}): Promise<string> {
  const answer = await send(body, settings);
  return answer.status === 200 ? '200' : errorLine(answer);
}

/** One block of zeros, repeated: a gigabyte in `blocks` × 3 + 12 bytes. */
function zstdOfZeros(blocks: number): Uint8Array {
  // A frame without a content size, window 128 KiB; blocks of type RLE, 128 KiB each.
  const frame = [0x28, 0xb5, 0x2f, 0xfd, 0x00, 7 << 3];
  for (let left = blocks; left > 0; left--) {
    const header = (left === 1 ? 1 : 0) | (1 << 1) | (131_072 << 3);
    frame.push(header & 255, (header >> 8) & 255, header >> 16, 0x20);
  }
  return Uint8Array.from(frame);
}

/** The text as one raw block. */
function zstdOf(text: string): Uint8Array {
  const bytes = Buffer.from(text);
  const header = 1 | (bytes.length << 3);
  return Buffer.concat([
    Uint8Array.from([0x28, 0xb5, 0x2f, 0xfd, 0x00, 7 << 3, header & 255, (header >> 8) & 255, header >> 16]),
    bytes,
  ]);
}

describe('JSON', () => {
  const invalid = '400 invalid_request_error invalid_json null';
  test.each([
    ['cut', '{"model":"rehearsal/default","input":"x"'],
    ['a comma too many', '{"input":"x",}'],
    ['single quotes', "{'input':'x'}"],
    ['a comment', '{"input":"x"} // hello'],
    ['two values', '{"input":"x"}{"input":"y"}'],
    ['NaN', '{"input":"x","temperature":NaN}'],
    ['a raw line break in a string', '{"input":"a\nb"}'],
    ['an open string', '{"input":"x'],
    ['only white space', '   \n'],
    ['a form', 'input=x&model=y'],
    ['HTML', '<!doctype html>'],
    ['brackets in the wrong order', ']]]]{"input":"x"}'],
    ['UTF-16', Buffer.from('{"input":"x"}', 'utf16le')],
    ['invalid UTF-8', Buffer.from([0x7b, 0x22, 0x69, 0x6e, 0x70, 0x75, 0x74, 0x22, 0x3a, 0x22, 0xff, 0xfe, 0x22, 0x7d])],
    ['a cut code point', Buffer.concat([Buffer.from('{"input":"'), Buffer.from([0xe2, 0x82]), Buffer.from('"}')])],
    ['an encoded surrogate', Buffer.concat([Buffer.from('{"input":"'), Buffer.from([0xed, 0xa0, 0x80]), Buffer.from('"}')])],
  ])('%s is no JSON', async (_what, body) => {
    expect(await fate(body)).toBe(invalid);
    expect(await fate(body, { path: '/v1/responses/input_tokens' })).toBe(invalid);
  });

  test.each([
    ['nothing', ''],
    ['null', 'null'],
    ['an array', '[]'],
    ['a string', '"x"'],
    ['a number', '7'],
  ])('%s is no request', async (_what, body) => {
    expect(await fate(body)).toMatch(/^400 invalid_request_error (invalid_type|missing_required_parameter) body$/);
  });

  test('a byte order mark, escapes and half a surrogate pair are let through', async () => {
    expect(await fate(`\ufeff${small}`)).toBe('200');
    expect(await fate('{"model":"rehearsal/default","input":"\\u00e9 \\ud83d\\ude00 \\ud83d \\u0000"}')).toBe('200');
  });

  test('a name like __proto__ is data', async () => {
    expect(await fate('{"model":"rehearsal/default","input":"x","__proto__":{"store":false},"constructor":1}')).toBe('200');
    expect(({} as { store?: boolean }).store).toBeUndefined();
  });
});

describe('a body that would stall the process', () => {
  const tooComplex = '400 invalid_request_error json_too_complex null';
  const nested = (levels: number, open: string, close: string): string =>
    `{"model":"rehearsal/default","input":"x","metadata_":${open.repeat(levels)}0${close.repeat(levels)}}`;

  test('200 levels are too deep, 100 are not', async () => {
    expect(await fate(nested(200, '[', ']'))).toBe(tooComplex);
    expect(await fate(nested(200, '{"a":', '}'))).toBe(tooComplex);
    expect(await fate(nested(5_000_000, '[', ']'))).toBe(tooComplex);
    expect(await fate('['.repeat(200))).toBe(tooComplex);
    expect(await fate(nested(100, '[', ']'))).toBe('200');
    expect(await fate(nested(100, '{"a":', '}'))).toBe('200');
  });

  test('brackets inside of strings do not count', async () => {
    expect(await fate(JSON.stringify({ model: 'rehearsal/default', input: `${'['.repeat(1000)}\\"${'{'.repeat(1000)}` }))).toBe(
      '200',
    );
    expect(await fate(JSON.stringify({ model: 'rehearsal/default', input: ','.repeat(600_000) }))).toBe('200');
  });

  test('more than 500,000 values are too many', async () => {
    const many = (count: number): string => `{"model":"rehearsal/default","input":"x","x":[${'0,'.repeat(count)}0]}`;
    expect(await fate(many(500_000))).toBe(tooComplex);
    expect(await fate(many(5_000_000))).toBe(tooComplex);
    expect(await fate(`{"x":${'[],'.repeat(600_000)}0`)).toBe(tooComplex);
    expect(await fate(many(400_000))).toBe('200');
  });
});

describe('size', () => {
  const tooLarge = '413 invalid_request_error request_too_large null';
  const padded = (size: number): string => small.padEnd(size, ' ');

  test('33 MiB are refused, declared or not, and the client sees the answer', async () => {
    const body = Buffer.from(padded(cap + 1024 * 1024));
    for (const path of ['/v1/responses', '/v1/responses/input_tokens'])
      for (const chunked of [false, true]) expect(await fate(body, { chunked, path })).toBe(tooLarge);
  });

  test('the cap itself is let through, one byte more is not', async () => {
    expect(await fate(padded(cap))).toBe('200');
    expect(await fate(padded(cap), { chunked: true })).toBe('200');
    expect(await fate(padded(cap + 1), { chunked: true })).toBe(tooLarge);
  });

  test.each([
    ['gzip', (size: number) => gzipSync(Buffer.alloc(size, 0x20), { level: 1 })],
    ['deflate', (size: number) => deflateSync(Buffer.alloc(size, 0x20), { level: 1 })],
    ['br', (size: number) => brotliCompressSync(Buffer.alloc(size, 0x20), { params: { [constants.BROTLI_PARAM_QUALITY]: 1 } })],
    ['zstd', (size: number) => zstdOfZeros(Math.ceil(size / 131_072))],
  ])('a %s bomb is refused', async (coding, compress) => {
    expect(await fate(compress(cap + 1), { headers: { 'content-encoding': coding } })).toBe(tooLarge);
    const bomb = compress(96 * 1024 * 1024);
    expect(bomb.length).toBeLessThan(600_000);
    expect(await fate(bomb, { headers: { 'content-encoding': coding } })).toBe(tooLarge);
    expect(await fate(bomb, { headers: { 'content-encoding': coding }, chunked: true })).toBe(tooLarge);
  });

  test('a zstd frame that asks for gigabytes gets none', async () => {
    // Window descriptor: 1.9 GiB.
    const greedy = Uint8Array.from([0x28, 0xb5, 0x2f, 0xfd, 0x00, (20 << 3) | 7, 1, 0, 0]);
    const answers = await Promise.all(
      Array.from({ length: 20 }, () => fate(greedy, { headers: { 'content-encoding': 'zstd' } })),
    );
    expect(new Set(answers)).toEqual(new Set(['400 invalid_request_error invalid_value null']));
    // Nor does the second frame of a body.
    const second = Buffer.concat([zstdOf('{'), greedy]);
    expect(await fate(second, { headers: { 'content-encoding': 'zstd' } })).toBe('400 invalid_request_error invalid_value null');
  });
});

describe('content-encoding', () => {
  const codings: readonly [string, (text: string) => Uint8Array][] = [
    ['gzip', gzipSync],
    ['x-gzip', gzipSync],
    ['GZip', gzipSync],
    ['deflate', deflateSync],
    ['br', brotliCompressSync],
    ['zstd', zstdOf],
    [' zstd ', zstdOf],
    ['identity', (text) => Buffer.from(text)],
  ];

  test.each(codings)('%s is understood', async (coding, compress) => {
    expect(await fate(compress(small), { headers: { 'content-encoding': coding } })).toBe('200');
    expect(await fate(compress(small), { headers: { 'content-encoding': coding }, chunked: true })).toBe('200');
  });

  test.each(codings.filter(([coding]) => coding !== 'identity'))('corrupt %s is refused', async (coding, compress) => {
    const long = compress(JSON.stringify({ model: 'rehearsal/default', input: 'abc '.repeat(4000) }));
    const headers = { 'content-encoding': coding };
    const refused = /^400 invalid_request_error invalid_(value|json) null$/;
    expect(await fate(small, { headers })).toBe('400 invalid_request_error invalid_value null');
    expect(await fate(Buffer.from(long).reverse(), { headers })).toMatch(refused);
    for (const share of [0.1, 0.5, 0.9]) expect(await fate(long.subarray(0, long.length * share), { headers })).toMatch(refused);
    const damaged = Buffer.from(long).fill(0xff, Math.floor(long.length / 3), Math.floor(long.length / 3) + 4);
    expect(await fate(damaged, { headers })).toMatch(refused);
  });

  test.each(['compress', 'gzip, br', 'aes', '../../x', 'x'.repeat(200)])('%s is not supported', async (coding) => {
    const line = await fate(small, { headers: { 'content-encoding': coding } });
    expect(line).toBe('415 invalid_request_error unsupported_media_type null');
  });

  test('raw deflate, which is not what the name means, is refused and not misread', async () => {
    const line = await fate(deflateRawSync(small), { headers: { 'content-encoding': 'deflate' } });
    expect(line).toBe('400 invalid_request_error invalid_value null');
  });
});

describe('content-type', () => {
  test.each([
    'application/json',
    'Application/JSON',
    'application/json; charset=utf-8',
    'application/json;charset=UTF-8',
    ' application/json ',
  ])('"%s" is taken', async (type) => {
    expect(await fate(small, { headers: { 'content-type': type } })).toBe('200');
  });

  test.each([
    'text/plain',
    'text/json',
    'application/x-www-form-urlencoded',
    'multipart/form-data; boundary=x',
    'application/jsonp',
    'application/json-seq',
    'application/vnd.api+json',
    'text/plain; application/json',
    'json',
    '*/*',
    '',
  ])('"%s" is refused before the body is looked at', async (type) => {
    const line = await fate('{not json', { headers: { 'content-type': type } });
    expect(line).toBe('415 invalid_request_error unsupported_media_type null');
  });

  test('none at all is refused: a web page may send such a body to anybody', async () => {
    const answer = await sendHttp(gateway.url, { path: '/v1/responses', body: small });
    expect(errorLine(answer)).toBe('415 invalid_request_error unsupported_media_type null');
  });
});
