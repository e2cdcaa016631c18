import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { editJsonMembers } from './edit-json-members.ts';

function edit(source: string, edits: Record<string, string | null>): string {
  return Buffer.from(editJsonMembers(Buffer.from(source), edits)).toString();
}

describe('members of the object itself', () => {
  test.each([
    ['replaced', '{ "a" : 1, "model":\t"x" ,"z":[{"model":"inner"}] }', '{ "a" : 1, "model":\t"new" ,"z":[{"model":"inner"}] }'],
    ['twice there', '{"model":"x","b":1.0,"model":null}', '{"model":"new","b":1.0,"model":"new"}'],
    [
      'written with escapes',
      String.raw`{"mod\u0065l":"x","n":9007199254740993}`,
      String.raw`{"mod\u0065l":"new","n":9007199254740993}`,
    ],
    ['a container', '{"model":{"a":["}",{}]},"b":"\\"model\\":"}', '{"model":"new","b":"\\"model\\":"}'],
    ['missing', ' {"b":1}\n', ' {"model":"new","b":1}\n'],
    ['missing in nothing', '{ }', '{"model":"new" }'],
    ['a number at the end', '{"model":12}', '{"model":"new"}'],
  ])('%s', (_, source, expected) => {
    expect(edit(source, { model: '"new"' })).toBe(expected);
  });

  test.each([
    ['first', '{"model":1, "b":2}', '{ "b":2}'],
    ['last', '{"b":2 , "model":[1]}', '{"b":2 }'],
    ['only', '{ "model":1 }', '{}'],
    ['all there are', '{"model":1,"model":2}', '{}'],
    ['not there', '{"b":"model"}', '{"b":"model"}'],
  ])('taken out: %s', (_, source, expected) => {
    expect(edit(source, { model: null })).toBe(expected);
  });
});

test('any object, written in any way: the edited members are as wanted, all others as they were', () => {
  const names = fc.constantFrom('model', 'stream', 'constructor', 'a"b', 'x\\', '');
  const objects = fc.array(fc.tuple(names, fc.jsonValue()), { maxLength: 6 });
  const spaces = fc.constantFrom('', ' ', '\n', '\t ');
  const edits = fc.constantFrom<Record<string, string | null>>(
    { model: '"new"' },
    { model: null },
    { model: '{"a":1}', stream: null },
  );
  fc.assert(
    fc.property(objects, spaces, edits, (members, space, wanted) => {
      const texts = members.map(
        ([name, value]) => `${space}${JSON.stringify(name)}${space}:${space}${JSON.stringify(value)}${space}`,
      );
      const edited = JSON.parse(edit(`${space}{${texts.join()}${space}}`, wanted)) as Record<string, unknown>;
      const expected = new Map<string, unknown>(members);
      for (const [name, json] of Object.entries(wanted)) {
        if (json === null) expected.delete(name);
        else expected.set(name, JSON.parse(json));
      }
      expect(edited).toEqual(JSON.parse(JSON.stringify(Object.fromEntries(expected))));
    }),
    { numRuns: 300 },
  );
});
