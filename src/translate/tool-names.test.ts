import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { createToolNames } from './tool-names.ts';

const openai = { pattern: /^[a-zA-Z0-9_-]+$/, maxLength: 64 };
const gemini = { pattern: /^[a-zA-Z_][a-zA-Z0-9_.:-]*$/, maxLength: 64 };

describe('createToolNames', () => {
  test('names that fit stay as they are', () => {
    const names = createToolNames(['get_weather', 'a-b'], openai);
    expect(names.toAlias('get_weather')).toBe('get_weather');
    expect(names.fromAlias('a-b')).toBe('a-b');
  });

  test('a foreign alphabet and a long name become readable aliases', () => {
    const long = `mcp__server__${'x'.repeat(90)}`;
    const names = createToolNames(['files.read', long, 'Wetter für morgen'], openai);
    expect(names.toAlias('files.read')).toMatch(/^files_read_[0-9a-z]{10}$/);
    expect(names.toAlias('Wetter für morgen')).toMatch(/^Wetter_f_r_morgen_[0-9a-z]{10}$/);
    expect(names.toAlias(long)).toHaveLength(64);
    expect(names.fromAlias(names.toAlias(long))).toBe(long);
  });

  test('a name that may not begin as it does gets another beginning', () => {
    const names = createToolNames(['1st'], gemini);
    expect(names.toAlias('1st')).toMatch(/^f_t_[0-9a-z]{10}$/);
    expect(names.fromAlias(names.toAlias('1st'))).toBe('1st');
  });

  test('the alias of a name does not depend on the other tools or their order', () => {
    const one = createToolNames(['a.b'], openai).toAlias('a.b');
    expect(createToolNames(['z', 'a b', 'a.b', 'q.q'], openai).toAlias('a.b')).toBe(one);
    expect(createToolNames([], openai).toAlias('a.b')).toBe(one);
  });

  test('an alias never takes the name of a real tool', () => {
    const taken = createToolNames(['a.b'], openai).toAlias('a.b');
    const names = createToolNames(['a.b', taken], openai);
    expect(names.toAlias(taken)).toBe(taken);
    expect(names.toAlias('a.b')).not.toBe(taken);
    expect(names.fromAlias(names.toAlias('a.b'))).toBe('a.b');
  });

  test('a name the server made up is passed on', () => {
    const names = createToolNames(['a'], openai);
    expect(names.fromAlias('never_sent')).toBe('never_sent');
    expect([names.isKnown('never_sent'), names.isKnown('a')]).toEqual([false, true]);
  });

  test('any set of names: aliases obey the rule, differ, and lead back', () => {
    const anyName = fc.oneof(
      fc.string({ minLength: 1 }),
      fc.string({ unit: 'binary', minLength: 1, maxLength: 80 }),
      fc.constantFrom('a.b', 'a b', 'a_b'),
    );
    fc.assert(
      fc.property(fc.uniqueArray(anyName), fc.constantFrom(openai, gemini), (list, rule) => {
        const names = createToolNames(list, rule);
        const aliases = list.map((name) => names.toAlias(name));
        expect(new Set(aliases).size).toBe(list.length);
        for (const [index, alias] of aliases.entries()) {
          expect(alias).toMatch(rule.pattern);
          expect(alias.length).toBeLessThanOrEqual(rule.maxLength);
          expect(names.fromAlias(alias)).toBe(list[index]);
        }
      }),
    );
  });
});
