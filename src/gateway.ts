import { randomBytes } from 'node:crypto';
import { usualLocalServers, type LocalServer } from './config/find-local-backends.ts';
import { loadEnvelopeKey } from './config/load-envelope-key.ts';
import { findOptionSecrets } from './backends/ai-sdk/option-secrets.ts';
import type { BackendSettings, Settings, StoreSettings } from './config/settings.ts';
import { createConversationLock } from './engine/conversation-lock.ts';
import { createModelCatalog } from './engine/model-catalog.ts';
import { createReasoningEnvelope } from './engine/reasoning-envelope.ts';
import { createRouter, type Router, type RouterOptions } from './engine/routing/router.ts';
import { findBackends, type BackendSearch, type FoundBackends } from './find-backends.ts';
import { countTextTokens } from './lib/count-text-tokens.ts';
import { parseJson } from './lib/json.ts';
import type { Backend } from './model/backend.ts';
import { GatewayError } from './model/errors.ts';
import type { ModelCatalog } from './model/model-catalog.ts';
import type { ResponseStore } from './model/response-store.ts';
import type { Secret } from './model/secret.ts';
import { TapTrouble } from './tap/tap-trouble.ts';
import { createNewId } from './new-id.ts';
import type { RunningTap } from './run-taps.ts';
import { openModelTaps, type OpenTaps } from './open-model-taps.ts';
import type { App } from './server/app-options.ts';
import { startLogging, type Logging } from './start-logging.ts';
import { startPruning, type Pruning } from './start-pruning.ts';
import { showAnswer } from './show-answer.ts';
import { chooseExample, toStartUpLines, type BackendReport, type StartUpReport } from './start-up-lines.ts';
import { toPasswordSecrets } from './to-password-secrets.ts';
import { wait } from './wait.ts';

/** A whole gateway. */
export interface Gateway {
  /** Opens the store and accepts connections. Throws what a person can act on: SettingsError, the store's GatewayError, or the socket's error. */
  listen(): Promise<{ readonly url: string; readonly taps: readonly RunningTap[] }>;
  /** What was found and how to call it, for a person; waits for servers that are still looked for. Throws when a backend cannot be set up. */
  describe(): Promise<readonly string[]>;
  /** Asks one question as a client would, and hands on the answer piece by piece. */
  ask(input: string, write: (text: string) => void): Promise<void>;
  /** Lets running responses end for a while, then frees everything. May be called at any time. */
  close(): Promise<void>;
}

/** What stands in place of the real thing. */
export interface GatewayOverrides {
  readonly version?: string;
  /** Besides the configured ones. */
  readonly backends?: readonly Backend[];
  /** Instead of the configured one; it is closed with the gateway. */
  readonly store?: ResponseStore;
  readonly newId?: (prefix: string) => string;
  /** Unix milliseconds. */
  readonly now?: () => number;
  /** How routing sees time, waits, and throws dice. */
  readonly routing?: Partial<Pick<RouterOptions, 'now' | 'random' | 'wait'>>;
  /** Where model servers are looked for, if they are. */
  readonly localServers?: readonly LocalServer[];
}

/** What there is once the gateway listens. */
interface Running {
  readonly url: string;
  readonly app: App;
  readonly catalog: ModelCatalog;
  readonly found: Promise<FoundBackends>;
  readonly store: ResponseStore;
  readonly taps: OpenTaps;
  readonly pruning: Pruning;
  readonly logging: Logging;
}

/** How long a turn waits for another one of its conversation. */
const conversationPatienceMs = 5_000;
const catalogCacheMs = 60_000;
const listTimeoutMs = 3_000;

/** Puts the gateway together: the only place that knows concrete classes. Nothing is opened before `listen`. */
export function createGateway(settings: Settings, overrides: GatewayOverrides = {}): Gateway {
  let starting: Promise<Running> | undefined;
  let closing: Promise<void> | undefined;

  async function close(): Promise<void> {
    const running = await starting?.catch(() => undefined);
    if (running !== undefined) await stop(running, settings.server.shutdownMs);
  }

  return {
    async listen() {
      const { url, taps } = await (starting ??= start(settings, overrides));
      return { url, taps: taps.running };
    },
    async describe() {
      if (starting === undefined) throw new Error('describe() comes after listen()');
      return toStartUpLines(await reportStart(await starting, settings));
    },
    async ask(input, write) {
      if (starting === undefined) throw new Error('ask() comes after listen()');
      const running = await starting;
      const model = chooseExample(await reportStart(running, settings));
      await showAnswer({ url: running.url, model, input, key: settings.server.keys[0] }, write);
    },
    close: () => (closing ??= close()),
  };
}

async function start(settings: Settings, overrides: GatewayOverrides): Promise<Running> {
  const now = overrides.now ?? Date.now;
  const newId = overrides.newId ?? createNewId();
  const logging = startLogging({ ...settings.log, secrets: allSecrets(settings) });
  // The database opens in its own thread while this one loads the HTTP server.
  const opening = overrides.store === undefined ? openStore(settings.store) : Promise.resolve(overrides.store);
  let tapping: Promise<OpenTaps> | undefined;
  try {
    const loading = loadKeys(settings);
    tapping = loading.then((keys) => openModelTaps({ settings, keys, newId, now, onTrouble: toTapWarning(logging) }));
    const [store, keys, taps, { createApp }] = await Promise.all([opening, loading, tapping, import('./server/app.ts')]);
    // The configured passwords are hidden already; nobody has been told these yet.
    const made = taps.running.filter(({ isCredentialGenerated }) => isCredentialGenerated);
    logging.hide(made.flatMap(({ credential }) => toPasswordSecrets(credential)));
    let tellPort: (port: number) => void = () => undefined;
    const found = new Promise<number>((resolve) => (tellPort = resolve)).then((ownPort) =>
      findAll({ settings, ownPort, sessions: store, taps: taps.modelTaps }, { ...overrides, newId, now }),
    );
    // Its failure is told by `describe`, and by every request that needs a backend.
    found.catch(() => undefined);
    const catalog = openCatalog(found, settings, now);
    const envelope = createReasoningEnvelope({ keys, randomBytes });
    const conversationLock = createConversationLock({
      patienceMs: conversationPatienceMs,
      createTimeout: (milliseconds) => AbortSignal.timeout(milliseconds),
    });
    const app = createApp({
      ...settings.server,
      timeouts: settings.timeouts,
      keepAlive: settings.keepAlive,
      version: overrides.version ?? 'development',
      backends: () => found.then(({ backends }) => backends),
      engine: {
        catalog,
        router: openRouter(settings, overrides),
        store,
        envelope,
        conversationLock,
        newId,
        now,
        countTextTokens,
      },
    });
    const url = await app.listen(settings.server.port, settings.server.host);
    tellPort(Number(new URL(url).port));
    const pruning = startPruning(store, {
      retention: settings.retention,
      now,
      onTrouble: toWarning(logging, 'old responses could not be removed'),
    });
    return { url, app, catalog, found, store, taps, pruning, logging };
  } catch (thrown) {
    logging.stop();
    await tapping?.then((taps) => taps.close()).catch(() => undefined);
    await opening.then((store) => store.close()).catch(() => undefined);
    throw thrown;
  }
}

/** From the clients inwards: whoever still runs finds what it needs. */
async function stop({ app, found, pruning, store, taps, logging }: Running, graceMs: number): Promise<void> {
  await app.close(graceMs);
  const backends = await found.then((set) => set.backends).catch(() => []);
  await Promise.all(backends.map((backend) => backend.close()));
  await taps.close();
  await pruning.stop();
  await store.close();
  logging.stop();
}

async function openStore(settings: StoreSettings): Promise<ResponseStore> {
  if (settings.type === 'memory') {
    const { createMemoryStore } = await import('./store/memory/memory-store.ts');
    return createMemoryStore();
  }
  const { openSqliteStore } = await import('./store/sqlite/sqlite-store.ts');
  return openSqliteStore(settings);
}

async function loadKeys({ envelopeKeys, dataDirectory }: Settings): Promise<readonly Uint8Array[]> {
  const keys = envelopeKeys.length > 0 ? envelopeKeys : [await loadEnvelopeKey(dataDirectory)];
  return keys.map((key) => Buffer.from(key.reveal(), 'base64'));
}

function toWarning(logging: Logging, message: string): (thrown: unknown) => void {
  return (thrown) => {
    logging.warn(message, thrown);
  };
}

function toTapWarning(logging: Logging): (thrown: unknown) => void {
  return (thrown) => {
    logging.warn(thrown instanceof TapTrouble ? `a tap met trouble: ${thrown.message}` : 'a tap met trouble', thrown);
  };
}

function findAll(
  around: Pick<BackendSearch, 'settings' | 'ownPort' | 'sessions' | 'taps'>,
  overrides: GatewayOverrides & Required<Pick<GatewayOverrides, 'newId' | 'now'>>,
): Promise<FoundBackends> {
  return findBackends({
    ...around,
    localServers: overrides.localServers ?? usualLocalServers,
    newId: overrides.newId,
    now: overrides.now,
    version: overrides.version ?? 'development',
    extra: overrides.backends ?? [],
  });
}

function openCatalog(found: Promise<FoundBackends>, { models }: Settings, now: () => number): ModelCatalog {
  return createModelCatalog({
    found,
    aliases: models.aliases,
    now,
    cacheMs: catalogCacheMs,
    timeoutMs: listTimeoutMs,
    createTimeout: (milliseconds) => AbortSignal.timeout(milliseconds),
  });
}

function openRouter({ routing }: Settings, overrides: GatewayOverrides): Router {
  return createRouter({
    ...routing,
    // Not the time of day: that can be set back.
    now: () => performance.now(),
    random: Math.random,
    wait,
    ...overrides.routing,
  });
}

async function reportStart({ url, found, catalog }: Running, settings: Settings): Promise<StartUpReport> {
  const { origins, defaultModel } = await found;
  const [backends, defaultTrouble] = await Promise.all([
    Promise.all([...origins].map(([backend, origin]) => describeBackend(backend, origin))),
    defaultModel === null ? null : troubleOf(catalog.resolveModel(defaultModel)),
  ]);
  return { url, settings, backends, defaultModel, defaultTrouble };
}

async function describeBackend(backend: Backend, origin: string): Promise<BackendReport> {
  try {
    const models = await backend.listModels(AbortSignal.timeout(listTimeoutMs));
    return { name: backend.name, origin, models: models.map(({ id }) => id) };
  } catch (thrown) {
    // Anything but a GatewayError is our own signal: the time is over.
    const trouble = thrown instanceof GatewayError ? thrown.message : 'it did not answer in time';
    return { name: backend.name, origin, models: { trouble } };
  }
}

async function troubleOf(work: Promise<unknown>): Promise<string | null> {
  try {
    await work;
    return null;
  } catch (thrown) {
    return GatewayError.from(thrown).message;
  }
}

function allSecrets({ server, backends, taps, envelopeKeys }: Settings): readonly Secret[] {
  const found = [server.adminKey, ...backends.flatMap(secretsOf)].filter((secret) => secret !== null);
  return [...server.keys, ...envelopeKeys, ...found, ...taps.flatMap(({ credential }) => toPasswordSecrets(credential))];
}

function secretsOf(backend: BackendSettings): readonly (Secret | null)[] {
  if (backend.type === 'rehearsal') return [];
  const headers = [...backend.headers.values()];
  if (backend.type === 'ai-sdk') return [...headers, ...findOptionSecrets(parseJson(backend.options.reveal()))];
  if (backend.type === 'cascade') return [...headers, backend.csrfToken, backend.token?.value ?? null];
  return [...headers, backend.apiKey];
}
