import { expect, test } from 'vitest';
import { parseAllowedHost, parseListen } from './parse-host.ts';

test.each([
  ['127.0.0.1:8721', '127.0.0.1', 8721],
  ['localhost:0', '127.0.0.1', 0],
  ['LOCALHOST:1', '127.0.0.1', 1],
  [':8721', '127.0.0.1', 8721],
  ['8721', '127.0.0.1', 8721],
  [8721, '127.0.0.1', 8721],
  [0, '127.0.0.1', 0],
  [' [::1]:65535 ', '::1', 65_535],
  ['0.0.0.0:1', '0.0.0.0', 1],
  ['box.lan:1', 'box.lan', 1],
])('%j listens there', (written, host, port) => {
  expect(parseListen(written)).toEqual({ host, port });
});

test.each([
  '',
  ':',
  'box.lan',
  '127.0.0.1',
  '::1',
  '::1:80',
  '[::1]',
  '[nonsense]:1',
  ':65536',
  70_000,
  -1,
  1.5,
  'http://h:1',
  'a b:1',
  '*:1',
  null,
])('%j is no place to listen', (written) => {
  expect(parseListen(written)).toBeUndefined();
});

test.each([
  ['Generativelanguage.GoogleApis.com', 'generativelanguage.googleapis.com'],
  ['localhost:4443', 'localhost:4443'],
  ['127.0.0.1', '127.0.0.1'],
  ['127.0.0.1:443', '127.0.0.1:443'],
  ['::1', '[::1]'],
  ['[::1]', '[::1]'],
  ['[::1]:443', '[::1]:443'],
])('%j may be allowed', (written, host) => {
  expect(parseAllowedHost(written)).toBe(host);
});

test.each([
  '',
  '*',
  '*.googleapis.com',
  'https://h',
  'h/path',
  'h:',
  'h:0',
  'h:65536',
  'h:x',
  '[::1]:70000',
  'a..b',
  '.h',
  'h.',
  'u@h',
  443,
  null,
])('%j is no host', (written) => {
  expect(parseAllowedHost(written)).toBeUndefined();
});
