import { expect, test } from 'vitest';
import { toHeaderList, toHeaderRecord, withHeader, withoutHopHeaders } from './header-list.ts';
import { parseModelCallPath } from './model-call-path.ts';

test('order, case and repetition stay; what belongs to the connection goes', () => {
  const raw = [
    ...['Host', 'a', 'X-B', '1', 'Connection', 'close, X-Secret', 'x-b', '2', 'X-Secret', 's', 'Keep-Alive', 't'],
    ...['TE', 'trailers', 'Transfer-Encoding', 'chunked', 'Proxy-Authorization', 'Basic x', 'Upgrade', 'h2c', 'Trailer', 'y'],
  ];
  expect(withoutHopHeaders(toHeaderList(raw))).toEqual([
    ['Host', 'a'],
    ['X-B', '1'],
    ['x-b', '2'],
  ]);
});

test('pseudo headers go, and cookies that HTTP/2 took apart come together', () => {
  const raw = [':method', 'GET', 'cookie', 'a=1', 'x', 'y', 'cookie', 'b=2'];
  expect(toHeaderList(raw)).toEqual([
    ['cookie', 'a=1; b=2'],
    ['x', 'y'],
  ]);
});

test('a header is set in its place', () => {
  const headers = toHeaderList(['Accept', 'a', 'HOST', 'b', 'X', 'c', 'host', 'd']);
  expect(withHeader(headers, 'host', 'new')).toEqual([
    ['Accept', 'a'],
    ['HOST', 'new'],
    ['X', 'c'],
  ]);
  expect(withHeader([], 'host', 'new')).toEqual([['host', 'new']]);
});

test('as a record, values of one name are joined', () => {
  expect(toHeaderRecord(toHeaderList(['A', '1', 'b', '2', 'a', '3']))).toEqual({ a: '1, 3', b: '2' });
});

test.each([
  ['/v1beta/models/gemini-3-pro:streamGenerateContent?alt=sse', { model: 'gemini-3-pro', streams: true, framing: 'events' }],
  [
    '/v1beta/models/gemini-3-pro:streamGenerateContent?key=k&$alt=sse',
    { model: 'gemini-3-pro', streams: true, framing: 'events' },
  ],
  ['/v1beta/models/gemini-3-pro:streamGenerateContent', { model: 'gemini-3-pro', streams: true, framing: 'array' }],
  ['/v1/models/a%2Fb:generateContent?alt=sse', { model: 'a/b', streams: false, framing: 'object' }],
  ['/v1beta/models/m%3AgenerateContent', { model: 'm', streams: false, framing: 'object' }],
  ['/v1/projects/p/locations/l/publishers/google/models/m:generateContent', { model: 'm', streams: false, framing: 'object' }],
  ['/v1beta/models/%zz:generateContent', { model: '%zz', streams: false, framing: 'object' }],
  ['/v1beta/models/m:embedContent', null],
  ['/v1beta/models/m:generateContent/x', null],
  ['/v1beta/models?x=/models/m:generateContent', null],
])('%s as a model call', (path, expected) => {
  expect(parseModelCallPath(path)).toEqual(expected);
});
