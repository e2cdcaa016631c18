import { nearestName } from '../lib/nearest-name.ts';
import type { Backend, ModelInfo } from '../model/backend.ts';
import { GatewayError } from '../model/errors.ts';
import type { CatalogEntry, ModelCatalog, ModelRoute, ResolvedModel } from '../model/model-catalog.ts';

/** How many names an error lists: enough to choose from, few enough to read. */
const namesShown = 20;

/** A model that was installed a moment ago is found, and yet a client that asks for a wrong one in a loop does not ask the servers each time. */
const retryMs = 2_000;

export interface BackendSet {
  readonly backends: readonly Backend[];
  /** What a request without `model` gets; null: it has to name one. */
  readonly defaultModel: string | null;
}

/** Steps of an ordered fallback; the names in one step are equals. */
type AliasRoute = readonly (readonly string[])[];

export interface ModelCatalogOptions {
  /** Pending while servers on this machine are still looked for. */
  readonly found: BackendSet | Promise<BackendSet>;
  /** Name that clients use → an ordered fallback of equals, each `backend/model` or a bare id (never another alias). */
  readonly aliases: ReadonlyMap<string, AliasRoute>;
  /** Unix milliseconds. */
  readonly now: () => number;
  /** How long the list of a backend is good. */
  readonly cacheMs: number;
  /** How long a backend may take to list its models. */
  readonly timeoutMs: number;
  readonly createTimeout: (milliseconds: number) => AbortSignal;
}

/** What one backend said, or null when it did not answer. */
interface Listing {
  readonly at: number;
  readonly models: readonly ModelInfo[] | null;
}

interface Listed {
  readonly backend: Backend;
  readonly models: readonly ModelInfo[] | null;
}

/** The catalog over a set of backends; their lists are asked for when needed, all at once, and kept for `cacheMs`. */
export function createModelCatalog(options: ModelCatalogOptions): ModelCatalog {
  const { aliases } = options;
  const loadListing = createListings(options);

  async function listAll(backends: readonly Backend[], maxAgeMs: number): Promise<readonly Listed[]> {
    return Promise.all(backends.map(async (backend) => ({ backend, models: await loadListing(backend, maxAgeMs) })));
  }

  async function resolveBareName(name: string, backends: readonly Backend[], asked: string): Promise<ResolvedModel> {
    const owners = (listed: readonly Listed[]): readonly Backend[] =>
      listed.flatMap(({ backend, models }) => (models?.some(({ id }) => id === name) === true ? [backend] : []));
    let listed = await listAll(backends, options.cacheMs);
    let [owner, ...others] = owners(listed);
    if (owner === undefined) {
      listed = await listAll(backends, retryMs);
      [owner, ...others] = owners(listed);
    }
    if (owner === undefined) throw unknownModel(asked, name, { listed, aliases: [...aliases.keys()] });
    if (others.length > 0) throw ambiguousModel(name, [owner, ...others]);
    return toResolved(owner, name);
  }

  async function resolveTarget(target: string, backends: readonly Backend[], asked: string): Promise<ResolvedModel> {
    return resolvePrefixed(target, backends) ?? resolveBareName(target, backends, asked);
  }

  async function resolveRoute(name: string | null): Promise<ModelRoute> {
    const { backends, defaultModel } = await options.found;
    const asked = name ?? defaultModel;
    if (asked === null) throw missingModel(await listAll(backends, options.cacheMs), [...aliases.keys()]);
    const route = aliases.get(asked) ?? [[asked]];
    return resolveSteps(route, (target) => resolveTarget(target, backends, asked));
  }

  return {
    resolveRoute,
    async resolveModel(name) {
      const [first] = (await resolveRoute(name)).steps.flat();
      if (first === undefined) throw new Error('a route has at least one target');
      return first;
    },
    async findBackend(name) {
      return (await options.found).backends.find((backend) => backend.name === name);
    },
    async listModels() {
      const { backends } = await options.found;
      const entries = (await listAll(backends, options.cacheMs)).flatMap(toEntries);
      const known = new Set(entries.map(({ id }) => id));
      const named = [...aliases.keys()].filter((alias) => !known.has(alias));
      return [...entries, ...named.map((id) => ({ id, created: 0, ownedBy: 'antiphon' }))];
    },
  };
}

/** What of a route is there. Throws what its first target says when none is. */
async function resolveSteps(route: AliasRoute, resolve: (target: string) => Promise<ResolvedModel>): Promise<ModelRoute> {
  const missing = new Map<string, GatewayError>();
  const resolveOrMiss = (name: string): Promise<ResolvedModel | undefined> =>
    resolve(name).catch((thrown: unknown) => {
      missing.set(name, GatewayError.from(thrown));
      return undefined;
    });
  const steps = withoutTwins(await Promise.all(route.map((step) => Promise.all(step.map(resolveOrMiss)))));
  const names = route.flat().filter((name) => missing.has(name));
  const [first] = names.map((name) => missing.get(name));
  if (steps.length === 0 && first !== undefined) throw first;
  return { steps, missing: [...new Set(names)] };
}

/** Every model once, where it stands first: a bare name and a whole one may mean the same. */
function withoutTwins(steps: readonly (readonly (ResolvedModel | undefined)[])[]): ModelRoute['steps'] {
  const known = new Set<string>();
  const isNew = (target: ResolvedModel | undefined): target is ResolvedModel => {
    if (target === undefined || known.has(target.publicName)) return false;
    known.add(target.publicName);
    return true;
  };
  return steps.map((step) => step.filter(isNew)).filter((step) => step.length > 0);
}

/** Lists by backend: asked for at most once at a time, and never for longer than the time-out. */
function createListings({
  now,
  timeoutMs,
  createTimeout,
}: ModelCatalogOptions): (backend: Backend, maxAgeMs: number) => Promise<Listing['models']> {
  const known = new Map<Backend, Listing>();
  const asking = new Map<Backend, Promise<Listing['models']>>();

  async function ask(backend: Backend): Promise<Listing['models']> {
    const models = await listModels(backend, createTimeout(timeoutMs));
    known.set(backend, { at: now(), models });
    asking.delete(backend);
    return models;
  }

  return (backend, maxAgeMs) => {
    const listing = known.get(backend);
    if (listing !== undefined && now() - listing.at < maxAgeMs) return Promise.resolve(listing.models);
    const running = asking.get(backend) ?? ask(backend);
    asking.set(backend, running);
    return running;
  };
}

async function listModels(backend: Backend, signal: AbortSignal): Promise<Listing['models']> {
  try {
    return await Promise.race([backend.listModels(signal), rejectOnAbort(signal)]);
  } catch {
    // A backend that cannot be asked is left out; what is wrong with it shows when it is called.
    return null;
  }
}

function rejectOnAbort(signal: AbortSignal): Promise<never> {
  return new Promise((_resolve, reject) => {
    const refuse = (): void => {
      reject(new Error('the backend took too long to list its models'));
    };
    if (signal.aborted) refuse();
    else signal.addEventListener('abort', refuse, { once: true });
  });
}

/** `backend/model`, split at the first slash: model ids may hold slashes themselves. Any id is good, because servers have models they do not list. */
function resolvePrefixed(name: string, backends: readonly Backend[]): ResolvedModel | undefined {
  const slash = name.indexOf('/');
  const backend = slash === -1 ? undefined : backends.find((candidate) => candidate.name === name.slice(0, slash));
  const model = name.slice(slash + 1);
  return backend === undefined || model === '' ? undefined : toResolved(backend, model);
}

function toResolved(backend: Backend, model: string): ResolvedModel {
  return { backend, model, publicName: `${backend.name}/${model}` };
}

function toEntries({ backend, models }: Listed): CatalogEntry[] {
  return (models ?? []).map(({ id, created, ownedBy }) => ({
    id: `${backend.name}/${id}`,
    created: created ?? 0,
    ownedBy: ownedBy ?? backend.name,
  }));
}

function unknownModel(
  asked: string,
  target: string,
  { listed, aliases }: { listed: readonly Listed[]; aliases: readonly string[] },
): GatewayError {
  const names = [...aliases, ...takeTurns(listed)];
  const bareNames = listed.flatMap(({ models }) => (models ?? []).map(({ id }) => id));
  const meant = nearestName(asked, names) ?? nearestName(asked, bareNames);
  const sentences = [
    asked === target
      ? `The model '${shorten(asked)}' does not exist.`
      : `The model '${asked}' leads to '${target}', which does not exist.`,
    ...(meant === undefined ? [] : [`Did you mean '${meant}'?`]),
    ...describeAvailable(names, listed),
  ];
  return new GatewayError('model_not_found', sentences.join(' '), { param: 'model' });
}

function missingModel(listed: readonly Listed[], aliases: readonly string[]): GatewayError {
  const names = [...aliases, ...takeTurns(listed)];
  const sentences = ["Missing required parameter: 'model'.", ...describeAvailable(names, listed)];
  return new GatewayError('missing_required_parameter', sentences.join(' '), { param: 'model' });
}

function ambiguousModel(name: string, owners: readonly Backend[]): GatewayError {
  const choices = owners.map((backend) => `'${backend.name}/${name}'`).join(' or ');
  return new GatewayError('invalid_value', `Several backends have the model '${name}'. Say which one is meant: ${choices}.`, {
    param: 'model',
  });
}

/** Names of all backends, in turn: one with hundreds of models would otherwise hide the others. */
function takeTurns(listed: readonly Listed[]): string[] {
  const columns = listed.map((one) => toEntries(one).map(({ id }) => id));
  const longest = Math.max(0, ...columns.map(({ length }) => length));
  return Array.from({ length: longest }, (_, row) => columns.flatMap((column) => column.slice(row, row + 1))).flat();
}

function shorten(name: string): string {
  return name.length > 200 ? `${name.slice(0, 200)}…` : name;
}

function describeAvailable(names: readonly string[], listed: readonly Listed[]): string[] {
  const shown = names.slice(0, namesShown).join(', ');
  const more = names.length > namesShown ? ` and ${String(names.length - namesShown)} more (GET /v1/models lists them all)` : '';
  const silent = listed.flatMap(({ backend, models }) => (models === null ? [`'${backend.name}'`] : []));
  return [
    ...(names.length === 0 ? [] : [`Available: ${shown}${more}.`]),
    ...(silent.length === 0 ? [] : [`Not answering: ${silent.join(', ')}.`]),
  ];
}
