import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { AliasDocument } from './alias-document.ts';
import { loadSettings } from './load-settings.ts';
import { SettingsError } from './settings-error.ts';
import type { Settings } from './settings.ts';
import { toAliasRoutes } from './to-alias-routes.ts';

const backends =
  'backends: { claude: { type: chat, base_url: "http://c/v1" }, gemini: { type: chat, base_url: "http://g/v1" } }\n';

function load(yaml: string, discovery = false): Promise<Settings> {
  return loadSettings({
    ...{ argv: [], workingDirectory: '/work', homeDirectory: '/home/me' },
    env: { ANTIPHON_DISCOVERY: discovery ? '1' : '0' },
    readFile: (path) => Promise.resolve(path === '/work/antiphon.yaml' ? backends + yaml : undefined),
  });
}

async function aliasesOf(yaml: string): Promise<Record<string, readonly (readonly string[])[]>> {
  return Object.fromEntries((await load(`models:\n  aliases:\n${yaml}`)).models.aliases);
}

async function faultsOf(yaml: string): Promise<string[]> {
  const error: unknown = await load(yaml).then(
    () => new Error('the settings were accepted'),
    (thrown: unknown) => thrown,
  );
  if (!(error instanceof SettingsError)) throw error;
  return error.message.split('\n');
}

describe('aliases', () => {
  test('one model, an ordered fallback, equals', async () => {
    expect(
      await aliasesOf(`
    one: claude/x
    bare: some-model
    smart: [claude/x, gemini/y]
    pool: [[claude/x, gemini/y], rehearsal/default]
`),
    ).toEqual({
      one: [['claude/x']],
      bare: [['some-model']],
      smart: [['claude/x'], ['gemini/y']],
      pool: [['claude/x', 'gemini/y'], ['rehearsal/default']],
    });
  });

  test('an alias in an alias stands for all of it, also before it is defined', async () => {
    expect(
      await aliasesOf(`
    best: [smart, one]
    mixed: [[one, equals]]
    smart: [claude/x, [gemini/y, gemini/z]]
    one: claude/o
    equals: [[claude/p, claude/q]]
`),
    ).toMatchObject({
      best: [['claude/x'], ['gemini/y', 'gemini/z'], ['claude/o']],
      mixed: [['claude/o', 'claude/p', 'claude/q']],
    });
  });

  test.each<[string, string]>([
    ['a: []', 'models.aliases.a: is an empty list: name at least one model'],
    ['a: [claude/x, []]', 'models.aliases.a[1]: is an empty list: name at least one model'],
    ['a: ""', 'models.aliases.a: is empty: give a model such as gemini/gemini-3-pro, or a list'],
    ['a: 7', 'models.aliases.a: must be a model such as'],
    ['a: { b: c }', 'models.aliases.a: must be a model such as'],
    ['a: [claude/x, 7]', 'models.aliases.a[1]: must be a model, or a list of equal models'],
    ['a: [[claude/x, [gemini/y]]]', 'models.aliases.a[0][1]: must be a model'],
    ['a: [[claude/x, null]]', 'models.aliases.a[0][1]: is empty: give a model, or remove it'],
    [
      'a: nobody/x',
      "models.aliases.a: leads to the backend 'nobody', and there is none of that name (there are claude, gemini, rehearsal)",
    ],
    [
      'a: [claude/x, [gemni/y, gemini/z]]',
      "models.aliases.a[1][0]: leads to the backend 'gemni', and there is none of that name (did you mean 'gemini'?)",
    ],
    ['a: claude/', "models.aliases.a: names no model of the backend 'claude'"],
    ['a: a', 'models.aliases.a: leads in a circle: a → a'],
    ['a: [claude/x, b]\n    b: [[c]]\n    c: a', 'models.aliases.a[1]: leads in a circle: a → b → c → a'],
    [
      'a: [[b, claude/x]]\n    b: [claude/x, gemini/y]',
      "models.aliases.a[0][0]: 'b' is an ordered list, which cannot be one of several equals",
    ],
  ])('%s', async (yaml, fault) => {
    const faults = await faultsOf(`models:\n  aliases:\n    ${yaml}`);
    expect(faults.some((line) => line.includes(fault))).toBe(true);
  });

  test('servers that may be found on this machine are backends too', async () => {
    const yaml = 'models: { aliases: { a: ollama/qwen3 } }';
    expect((await load(yaml, true)).models.aliases.get('a')).toEqual([['ollama/qwen3']]);
    expect((await faultsOf(yaml))[0]).toContain('models.aliases.a');
  });

  test('any aliases: an end is found; without a fault every route has only models, at least one', () => {
    const name = fc.constantFrom('a', 'b', 'c', 'd', 'm/1', 'm/2', 'm/3');
    const alias: fc.Arbitrary<AliasDocument> = fc.oneof(
      name,
      fc.array(fc.oneof(name, fc.array(name, { minLength: 1, maxLength: 3 })), { minLength: 1, maxLength: 3 }),
    );
    fc.assert(
      fc.property(fc.dictionary(fc.constantFrom('a', 'b', 'c', 'd'), alias), (aliases) => {
        const { routes, faults } = toAliasRoutes(aliases, (model) => (model.startsWith('m/') ? null : 'is nothing'));
        expect([...routes.keys()].sort()).toEqual(Object.keys(aliases).sort());
        if (faults.length > 0) return;
        for (const route of routes.values()) {
          expect(route.length).toBeGreaterThan(0);
          for (const step of route)
            expect([step.length > 0, step.every((model) => model.startsWith('m/'))]).toEqual([true, true]);
        }
      }),
    );
  });
});

describe('routing', () => {
  test.each<[string, object]>([
    [
      'routing:',
      { retries: 2, retryBudget: 0.2, breaker: { failures: 5, windowMs: 30_000, cooldownMs: 15_000 }, stickinessMs: 600_000 },
    ],
    ['routing: { retries: 0, retry_budget: "0.5", stickiness: 1h }', { retries: 0, retryBudget: 0.5, stickinessMs: 3_600_000 }],
    ['routing: { breaker: { failures: 2, cooldown: 1s } }', { breaker: { failures: 2, windowMs: 30_000, cooldownMs: 1_000 } }],
    ['routing: { breaker: off, stickiness: off }', { breaker: null, stickinessMs: null }],
    ['routing: { breaker: false }', { breaker: null }],
    ['routing: { breaker: { failures: off } }', { breaker: null }],
    ['routing: { breaker: }', { breaker: { failures: 5, windowMs: 30_000, cooldownMs: 15_000 } }],
  ])('%s', async (yaml, wanted) => {
    expect((await load(yaml)).routing).toMatchObject(wanted);
  });

  test.each<[string, string]>([
    ['retries: 11', 'routing.retries: must be a whole number from 0 to 10'],
    ['retries: 1.5', 'routing.retries: must be a whole number from 0 to 10'],
    ['retry_budget: 2', 'routing.retry_budget: must be a number from 0 to 1, for example 0.2'],
    ['retry_budget: x', 'routing.retry_budget: must be a number from 0 to 1'],
    ['breaker: { failures: 0 }', 'routing.breaker.failures: must be a whole number from 1 to 1000, or off'],
    ['breaker: { cooldown: 0 }', 'routing.breaker.cooldown: must be a length of time'],
    ['breaker: on', 'routing.breaker: must be a section with keys'],
    ['breaker: { cooldwn: 1 }', "routing.breaker.cooldwn: is not a key here: did you mean 'cooldown'?"],
    ['stickiness: x', 'routing.stickiness: must be a length of time'],
  ])('%s is refused', async (yaml, fault) => {
    expect((await faultsOf(`routing: { ${yaml} }`))[0]).toContain(fault);
  });
});
