import { isJsonObject, type JsonObject } from '../../lib/json.ts';
import type { ModelRequest } from '../../model/model-request.ts';
import type { GeminiGenerationConfig, GeminiToolConfig } from '../../protocol/gemini/request.ts';
import type { ModelTraits } from '../../translate/gemini/model-traits.ts';
import type { GeminiSettings } from '../../translate/gemini/to-gemini-settings.ts';
import type { ToolNames } from '../../translate/tool-names.ts';
import { readMember, readObjects, withMember } from './gemini-body.ts';

export interface SettingsContext {
  readonly request: ModelRequest;
  readonly traits: ModelTraits;
  readonly names: ToolNames;
  /** Functions that the agent server declares and that stay. */
  readonly ownNames: ReadonlySet<string>;
  readonly ownTools: 'keep' | 'drop';
}

/** Writes what the client asked for into the agent server's request. What the client did not ask for stays as the agent server wants it. */
export function addSettings(inner: JsonObject, settings: GeminiSettings, context: SettingsContext): JsonObject {
  const { systemText, generationConfig, serviceTier } = settings;
  let body = addTools(inner, settings, context);
  if (systemText !== null) body = addSystemText(body, systemText, context.traits);
  if (generationConfig !== undefined)
    body = withMember(body, 'generationConfig', mergeGeneration(readObject(body, 'generationConfig'), generationConfig));
  return serviceTier === null ? body : withMember(body, 'serviceTier', serviceTier);
}

/** Appended, never replaced: the agent server's own text is what makes it an agent. A model that takes no system text reads it before the conversation. */
function addSystemText(body: JsonObject, text: string, { takesSystemInstruction }: ModelTraits): JsonObject {
  const own = readMember(body, 'systemInstruction');
  if (own === undefined && !takesSystemInstruction) {
    const [first, ...others] = readObjects(body['contents']);
    if (first === undefined) return body;
    return { ...body, contents: [{ ...first, parts: [{ text }, ...readObjects(first['parts'])] }, ...others] };
  }
  const parts: readonly unknown[] = isJsonObject(own)
    ? readObjects(own['parts'])
    : typeof own === 'string'
      ? [{ text: own }]
      : [];
  return withMember(body, 'systemInstruction', { ...(isJsonObject(own) && own), parts: [...parts, { text }] });
}

function addTools(body: JsonObject, { tools, toolConfig }: GeminiSettings, context: SettingsContext): JsonObject {
  const isKept = context.ownTools === 'keep';
  const own = isKept ? readObjects(body['tools']) : [];
  const declarations = tools.flatMap(({ functionDeclarations }) => functionDeclarations ?? []);
  const search = tools.filter(({ googleSearch }) => googleSearch !== undefined);
  const hasSearch = own.some((tool) => readMember(tool, 'googleSearch') !== undefined);
  const merged = [...addDeclarations(own, declarations), ...(hasSearch ? [] : search)];
  const withTools = isKept && tools.length === 0 ? body : withMember(body, 'tools', merged.length > 0 ? merged : undefined);
  const ownConfig = isKept ? readMember(body, 'toolConfig') : undefined;
  if (toolConfig === undefined) return isKept ? withTools : withMember(withTools, 'toolConfig', undefined);
  return withMember(withTools, 'toolConfig', mergeToolConfig(isJsonObject(ownConfig) ? ownConfig : {}, toolConfig, context));
}

/** All functions stand in one tool: some servers take only one such list. */
function addDeclarations(own: readonly JsonObject[], declarations: readonly unknown[]): readonly JsonObject[] {
  if (declarations.length === 0) return own;
  const at = own.findIndex((tool) => readMember(tool, 'functionDeclarations') !== undefined);
  const list = own[at];
  if (list === undefined) return [...own, { functionDeclarations: declarations }];
  const merged = withMember(list, 'functionDeclarations', [
    ...readObjects(readMember(list, 'functionDeclarations')),
    ...declarations,
  ]);
  return own.with(at, merged);
}

function mergeToolConfig(own: JsonObject, config: GeminiToolConfig, context: SettingsContext): JsonObject {
  const { functionCallingConfig, ...others } = config;
  const merged = { ...own, ...others };
  if (functionCallingConfig === undefined) return merged;
  const calling = readObject(own, 'functionCallingConfig');
  const { mode } = functionCallingConfig;
  const allowed = allowedNames(functionCallingConfig.allowedFunctionNames, context);
  const withMode = withMember(withMember(calling, 'mode', mode), 'allowedFunctionNames', allowed);
  return withMember(merged, 'functionCallingConfig', withMode);
}

/** A call that the client demands is one of its own tools; one that it merely allows does not forbid those of the agent. */
function allowedNames(
  allowed: readonly string[] | undefined,
  { request, names, ownNames }: SettingsContext,
): readonly string[] | undefined {
  if (ownNames.size === 0) return allowed;
  if (request.toolChoice.type === 'required') return request.tools.map(({ name }) => names.toAlias(name));
  return request.toolChoice.type === 'allowed' && allowed !== undefined ? [...allowed, ...ownNames] : allowed;
}

function mergeGeneration(own: JsonObject, { thinkingConfig, ...config }: GeminiGenerationConfig): JsonObject {
  let merged = config.responseJsonSchema === undefined ? own : withMember(own, 'responseSchema', undefined);
  for (const [name, value] of Object.entries(config)) merged = withMember(merged, name, value);
  if (thinkingConfig === undefined) return merged;
  let thinking = readObject(merged, 'thinkingConfig');
  // A level and a budget together are refused.
  if (thinkingConfig.thinkingLevel !== undefined) thinking = withMember(thinking, 'thinkingBudget', undefined);
  if (thinkingConfig.thinkingBudget !== undefined) thinking = withMember(thinking, 'thinkingLevel', undefined);
  for (const [name, value] of Object.entries(thinkingConfig)) thinking = withMember(thinking, name, value);
  return withMember(merged, 'thinkingConfig', thinking);
}

function readObject(object: JsonObject, name: string): JsonObject {
  const value = readMember(object, name);
  return isJsonObject(value) ? value : {};
}
