import fc from 'fast-check';
import { expect, test } from 'vitest';
import { readExactJson } from './exact-json.ts';

test.each(['12345678901234567890', '-9007199254740993', '1.0', '-0', '1e400', '0.10000000000000000555', '1E+2'])(
  'a number keeps its own words: %s',
  (literal) => {
    const json = readExactJson(`{ "seed": ${literal}, "text": "a \\" ${literal}, \\\\", "list": [1, ${literal} ] }`);
    expect(json?.write({ ...(json.value as object), more: 2 })).toBe(
      `{"seed":${literal},"text":"a \\" ${literal}, \\\\","list":[1,${literal}],"more":2}`,
    );
  },
);

test('what JavaScript can write is plain', () => {
  expect(readExactJson('{"a":[1,-2.5,1e+21,"1.0",true,null]}')?.value).toEqual({ a: [1, -2.5, 1e21, '1.0', true, null] });
});

test.each(['', '{', '{"a":1', '"a', '01', '{"a":12345678901234567890'])('%j is no JSON', (source) => {
  expect(readExactJson(source)).toBeUndefined();
});

test('any JSON comes out as it went in', () => {
  const literal = fc.oneof(
    fc.tuple(fc.bigInt(), fc.constantFrom('', '.0', '.50', 'e3', 'E-2')).map(([whole, rest]) => `${String(whole)}${rest}`),
    fc.string().map((text) => JSON.stringify(text)),
    fc.json(),
  );
  const source = fc.array(literal).map((members) => `[${members.join(',')}]`);
  fc.assert(
    fc.property(source, (text) => {
      const json = readExactJson(text);
      expect(json?.write(json.value).replace(/\s/g, '')).toBe(text.replace(/\s/g, ''));
    }),
  );
});
