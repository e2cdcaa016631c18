import { expect, test } from 'vitest';
import type { Backend, ModelInfo } from '../model/backend.ts';
import { GatewayError } from '../model/errors.ts';
import type { ModelCatalog } from '../model/model-catalog.ts';
import { createModelCatalog, type BackendSet } from './model-catalog.ts';

interface Listing {
  ids: readonly string[] | Error | 'silent';
  asked: number;
}

function backend(name: string, listing: Listing): Backend {
  return {
    name,
    prepareTurn: () => {
      throw new Error('the catalog sends nothing');
    },
    listModels: async () => {
      listing.asked += 1;
      if (listing.ids === 'silent') return new Promise<never>(() => undefined);
      if (listing.ids instanceof Error) throw listing.ids;
      return listing.ids.map((id): ModelInfo => ({ id, created: 7, ownedBy: null }));
    },
    countInputTokens: () => Promise.resolve(null),
    close: () => Promise.resolve(),
  };
}

interface Given {
  readonly backends: Readonly<Record<string, Listing['ids']>>;
  readonly aliases?: Readonly<Record<string, string | readonly (readonly string[])[]>>;
  readonly defaultModel?: string;
}

function openCatalog({ backends, aliases = {}, defaultModel }: Given) {
  const clock = { ms: 0 };
  const listings = Object.fromEntries(Object.entries(backends).map(([name, ids]) => [name, { ids, asked: 0 }]));
  const catalog = createModelCatalog({
    found: {
      backends: Object.entries(listings).map(([name, listing]) => backend(name, listing)),
      defaultModel: defaultModel ?? null,
    },
    aliases: new Map(
      Object.entries(aliases).map(([name, route]) => [name, typeof route === 'string' ? [[route]] : route] as const),
    ),
    now: () => clock.ms,
    cacheMs: 60_000,
    timeoutMs: 5,
    createTimeout: (milliseconds) => AbortSignal.timeout(milliseconds),
  });
  return { catalog, clock, listings };
}

async function resolved(catalog: ModelCatalog, name: string | null): Promise<string> {
  const { backend, model, publicName } = await catalog.resolveModel(name);
  expect(publicName).toBe(`${backend.name}/${model}`);
  return publicName;
}

async function refusal(catalog: ModelCatalog, name: string | null): Promise<GatewayError> {
  const error: unknown = await catalog.resolveModel(name).catch((thrown: unknown) => thrown);
  if (!(error instanceof GatewayError)) throw new Error(`${String(name)} was resolved`);
  expect(error).toMatchObject({ status: 400, param: 'model' });
  return error;
}

const three: Given = {
  backends: {
    gemini: ['flash', 'pro', 'shared'],
    router: ['shared', 'anthropic/claude', 'gemini/flash'],
    rehearsal: ['rehearsal'],
  },
  aliases: { fast: 'gemini/flash', pro: 'rehearsal/other', claude: 'anthropic/claude', lost: 'nobody/x' },
  defaultModel: 'fast',
};

test.each([
  ['gemini/flash', 'gemini/flash'],
  ['gemini/not-listed', 'gemini/not-listed'],
  ['router/anthropic/claude', 'router/anthropic/claude'],
  ['anthropic/claude', 'router/anthropic/claude'],
  ['flash', 'gemini/flash'],
  ['rehearsal', 'rehearsal/rehearsal'],
  ['fast', 'gemini/flash'],
  ['pro', 'rehearsal/other'],
  ['claude', 'router/anthropic/claude'],
  [null, 'gemini/flash'],
])('%s leads to %s', async (name, publicName) => {
  expect(await resolved(openCatalog(three).catalog, name)).toBe(publicName);
});

test('a name with a backend in front is resolved without asking anybody', async () => {
  const { catalog, listings } = openCatalog(three);
  await catalog.resolveModel('gemini/whatever');
  expect(Object.values(listings).map(({ asked }) => asked)).toEqual([0, 0, 0]);
});

test('an unknown model is refused with the nearest one and with what there is', async () => {
  const { catalog } = openCatalog(three);
  const error = await refusal(catalog, 'gemini/');
  expect(error.code).toBe('model_not_found');
  expect((await refusal(catalog, 'flahs')).message).toBe(
    "The model 'flahs' does not exist. Did you mean 'flash'? Available: fast, pro, claude, lost, gemini/flash, router/shared, rehearsal/rehearsal, " +
      'gemini/pro, router/anthropic/claude, gemini/shared, router/gemini/flash.',
  );
  expect((await refusal(catalog, 'lost')).message).toContain("The model 'lost' leads to 'nobody/x', which does not exist.");
});

test('a long list is cut, and no backend hides the others', async () => {
  const { catalog } = openCatalog({
    backends: { big: Array.from({ length: 400 }, (_, index) => `m${String(index)}`), small: ['s'] },
  });
  const { message } = await refusal(catalog, 'x'.repeat(10_000));
  expect(message).toContain('Available: big/m0, small/s, big/m1, ');
  expect(message).toContain('big/m18 and 381 more (GET /v1/models lists them all).');
  expect(message.length).toBeLessThan(700);
});

test('a bare name that two backends have is refused, naming both', async () => {
  const error = await refusal(openCatalog(three).catalog, 'shared');
  expect(error.code).toBe('invalid_value');
  expect(error.message).toBe(
    "Several backends have the model 'shared'. Say which one is meant: 'gemini/shared' or 'router/shared'.",
  );
});

test('without a default the model has to be named', async () => {
  const error = await refusal(openCatalog({ backends: { gemini: ['flash'] } }).catalog, null);
  expect(error.code).toBe('missing_required_parameter');
  expect(error.message).toBe("Missing required parameter: 'model'. Available: gemini/flash.");
});

test('a backend that fails or is slow is left out, and the error says so', async () => {
  const { catalog } = openCatalog({ backends: { dead: new Error('refused'), slow: 'silent', well: ['m'] } });
  expect(await catalog.listModels()).toEqual([{ id: 'well/m', created: 7, ownedBy: 'well' }]);
  expect(await resolved(catalog, 'm')).toBe('well/m');
  expect((await refusal(catalog, 'other')).message).toContain("Not answering: 'dead', 'slow'.");
});

test('the list has every model, then the aliases', async () => {
  const { catalog } = openCatalog({ backends: { a: ['x'], b: ['y'] }, aliases: { z: 'a/x', 'b/y': 'a/x' } });
  expect((await catalog.listModels()).map(({ id }) => id)).toEqual(['a/x', 'b/y', 'z']);
});

test('many askers at once are one question; the answer is kept until it is old', async () => {
  const { catalog, clock, listings } = openCatalog({ backends: { a: ['x'] } });
  await Promise.all(Array.from({ length: 20 }, () => catalog.listModels()));
  await catalog.resolveModel('x');
  expect(listings['a']?.asked).toBe(1);
  clock.ms = 60_000;
  await catalog.listModels();
  expect(listings['a']?.asked).toBe(2);
});

test('a model that came a moment ago is found, but a wrong name in a loop asks nobody each time', async () => {
  const { catalog, clock, listings } = openCatalog({ backends: { a: ['x'] } });
  await catalog.listModels();
  listings['a']!.ids = ['x', 'new'];
  await refusal(catalog, 'new');
  expect(listings['a']?.asked).toBe(1);
  clock.ms = 2_000;
  expect(await resolved(catalog, 'new')).toBe('a/new');
  expect(listings['a']?.asked).toBe(2);
});

test('a backend that comes back is heard again', async () => {
  const { catalog, clock, listings } = openCatalog({ backends: { a: new Error('down') } });
  await refusal(catalog, 'x');
  listings['a']!.ids = ['x'];
  clock.ms = 2_000;
  expect(await resolved(catalog, 'x')).toBe('a/x');
});

test('what is still looked for is waited for', async () => {
  let find: (found: BackendSet) => void = () => undefined;
  const found = new Promise<BackendSet>((resolve) => {
    find = resolve;
  });
  const catalog = createModelCatalog({
    found,
    aliases: new Map(),
    now: () => 0,
    cacheMs: 1,
    timeoutMs: 1,
    createTimeout: (milliseconds) => AbortSignal.timeout(milliseconds),
  });
  const answer = resolved(catalog, null);
  find({ backends: [backend('late', { ids: ['m'], asked: 0 })], defaultModel: 'late/m' });
  expect(await answer).toBe('late/m');
});

test('a route keeps its order, every model once, and says what is missing', async () => {
  const { catalog } = openCatalog({
    backends: { a: ['x', 'y'], b: ['z'], dead: new Error('refused') },
    aliases: { smart: [['x', 'nobody'], ['a/x', 'dead/m'], ['lost/w', 'a/x'], ['z']], none: [['nobody'], ['lost/w']] },
  });
  const { steps, missing } = await catalog.resolveRoute('smart');
  expect([steps.map((step) => step.map(({ publicName }) => publicName)), missing]).toEqual([
    [['a/x'], ['dead/m'], ['b/z']],
    ['nobody', 'lost/w'],
  ]);
  expect(await resolved(catalog, 'smart')).toBe('a/x');
  expect((await catalog.resolveRoute('a/y')).steps.flat().map(({ publicName }) => publicName)).toEqual(['a/y']);
  expect((await refusal(catalog, 'none')).message).toContain("The model 'none' leads to 'nobody', which does not exist.");
});
