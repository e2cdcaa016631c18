import { dirname } from 'node:path';
import { fileURLToPath } from 'node:url';
import { isJsonObject, type JsonObject } from '../../lib/json.ts';
import { GatewayError } from '../../model/errors.ts';
import type { AiSdkModel } from '../../protocol/ai-sdk/model.ts';
import { resolvePackage } from './resolve-package.ts';

export interface ProviderSource {
  /** Name of the backend, for errors. */
  readonly backendName: string;
  readonly packageName: string;
  /** Handed to the provider's factory as they are. */
  readonly options: JsonObject;
  /** Where the package may be installed, besides our own dependencies: the first one that has it wins. */
  readonly folders: readonly string[];
  /** A stranger's text, fit for a person. */
  readonly clean: (text: string) => string | undefined;
}

/** A model of the provider by its id. Throws when the provider refuses the id. */
export type OpenAiSdkModel = (modelId: string) => AiSdkModel;

type Callable = (...words: readonly unknown[]) => unknown;

/**
 * Imports a provider's package from where the user installed it, and calls its factory. Nothing of it is known but its shape: an exported `create…` function that makes a provider, or such a function or a
 * provider as default export. Throws a GatewayError that says what to do: install it, install another version, correct the options.
 */
export async function loadAiSdkProvider(source: ProviderSource): Promise<OpenAiSdkModel> {
  const { packageName, folders } = source;
  const own = dirname(fileURLToPath(import.meta.url));
  const url = await resolvePackage(packageName, [...folders, own]);
  if (url === null) {
    const place = folders[0] === undefined ? '' : ` in ${folders[0]}`;
    throw trouble(
      source,
      `the package ${packageName} is not installed: run \`npm i ${nameOf(packageName)}\`${place} (a version of the AI SDK 6 line)`,
    );
  }
  const exported = await importPackage(url, source);
  const provider = createProvider(exported, source);
  checkVersion(provider, source);
  return (modelId) => openModel(provider, modelId, source);
}

async function importPackage(url: string, source: ProviderSource): Promise<JsonObject> {
  try {
    const exported: unknown = await import(url);
    return isJsonObject(exported) ? exported : {};
  } catch (thrown) {
    throw trouble(source, `the package ${source.packageName} cannot be loaded${said(thrown, source)}`, thrown);
  }
}

function createProvider(exported: JsonObject, source: ProviderSource): unknown {
  let complaint: unknown;
  for (const factory of findFactories(exported)) {
    try {
      const provider = factory(source.options);
      if (isProvider(provider)) return provider;
    } catch (thrown) {
      complaint ??= thrown;
    }
  }
  if (complaint !== undefined)
    throw trouble(source, `${source.packageName} refuses its options${said(complaint, source)}`, complaint);
  if (isProvider(exported['default'])) return exported['default'];
  throw trouble(source, `${source.packageName} is no provider of the AI SDK: it exports no create… function that makes one`);
}

/** A package in CommonJS has its exports once more under `default`. */
function findFactories(exported: JsonObject): readonly Callable[] {
  const { default: whole } = exported;
  const named = { ...(isJsonObject(whole) ? whole : {}), ...exported };
  const factories = Object.entries(named)
    .filter(([name]) => /^create[A-Z]/.test(name))
    .map(([, value]) => value);
  return [...factories, whole].filter(isCallable);
}

function isCallable(value: unknown): value is Callable {
  return typeof value === 'function';
}

/** The ways to a model that providers have; the first one is what the interface asks for. */
const ways = ['languageModel', 'chatModel', 'chat'] as const;

/** A function or an object with one of these ways. */
function isProvider(value: unknown): boolean {
  return ways.some((way) => isCallable(memberOf(value, way)));
}

function checkVersion(provider: unknown, source: ProviderSource): void {
  const version = memberOf(provider, 'specificationVersion');
  if (version !== undefined && version !== 'v3') throw wrongVersion(version, source);
}

function wrongVersion(version: unknown, source: ProviderSource): GatewayError {
  const spoken = typeof version === 'string' && /^v\d+$/.test(version) ? `version ${version.slice(1)}` : 'another version';
  return trouble(
    source,
    `${source.packageName} speaks ${spoken} of the AI SDK's interface, and this gateway version 3: install a version of the AI SDK 6 line`,
  );
}

function openModel(provider: unknown, modelId: string, source: ProviderSource): AiSdkModel {
  const way = ways.map((name) => memberOf(provider, name)).find(isCallable);
  const model: unknown = way?.call(provider, modelId);
  if (isModel(model)) return model;
  throw wrongVersion(memberOf(model, 'specificationVersion'), source);
}

function isModel(value: unknown): value is AiSdkModel {
  return (
    memberOf(value, 'specificationVersion') === 'v3' &&
    isCallable(memberOf(value, 'doStream')) &&
    isCallable(memberOf(value, 'doGenerate'))
  );
}

/** A member of an object or a function. */
function memberOf(value: unknown, name: string): unknown {
  return isJsonObject(value) || isCallable(value) ? (Reflect.get(value, name) as unknown) : undefined;
}

/** The package without what is in it. */
function nameOf(packageName: string): string {
  return packageName
    .split('/')
    .slice(0, packageName.startsWith('@') ? 2 : 1)
    .join('/');
}

function said(thrown: unknown, { clean }: ProviderSource): string {
  const words = thrown instanceof Error ? clean(thrown.message) : undefined;
  return words === undefined ? '' : `: ${words}`;
}

/** The operator has to do something; trying again does not help. */
function trouble({ backendName }: ProviderSource, message: string, cause?: unknown): GatewayError {
  return new GatewayError('upstream_error', `backends.${backendName}: ${message}`, { isFinal: true, cause });
}
