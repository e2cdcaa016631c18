import { readList, readMap, readMessage, readText } from './read-proto.ts';

interface CascadeModel {
  /** Public id. */
  readonly id: string;
  /** The server's enum, or its uid. */
  readonly enumName: string;
  readonly label: string | null;
}

/**
 * The models of an answer to GetCascadeModelConfigData (`clientModelConfigs`) or GetAvailableModels (`response.models`), without disabled ones and without those that
 * name no model. The public id is the server's model id, else made from the label, else the enum in lower case; no id comes twice.
 */
export function readModels(answer: unknown): readonly CascadeModel[] {
  const { clientModelConfigs, response } = readMessage(answer);
  const found = [
    ...readList(clientModelConfigs).map((config) => readModelConfig(config)),
    ...readMap(readMessage(response)['models']).map(([id, model]) => readAvailableModel(id, model)),
  ];
  const models = new Map<string, CascadeModel>();
  for (const model of found) {
    if (model === null) continue;
    // Two labels can make the same id; their enums differ.
    const id = models.has(model.id) ? model.enumName.toLowerCase() : model.id;
    if (!models.has(id)) models.set(id, { ...model, id });
  }
  return [...models.values()];
}

/** Configured models (public id → enum) take the place of listed ones with that id; further ones come after them. */
export function overlayModels(listed: readonly CascadeModel[], configured: ReadonlyMap<string, string>): readonly CascadeModel[] {
  const known = new Set(listed.map(({ id }) => id));
  return [
    ...listed.map((model) => ({ ...model, enumName: configured.get(model.id) ?? model.enumName })),
    ...[...configured].filter(([id]) => !known.has(id)).map(([id, enumName]) => ({ id, enumName, label: null })),
  ];
}

function readModelConfig(value: unknown): CascadeModel | null {
  const config = readMessage(value);
  if (config['disabled'] === true) return null;
  const { model, modelUid } = readMessage(config['modelOrAlias']);
  return toModel({
    id: readText(config['modelId']),
    label: readText(config['label']),
    enumName: readEnumName(model) || readText(modelUid),
  });
}

function readAvailableModel(id: string, value: unknown): CascadeModel | null {
  const { model, displayName, disabled } = readMessage(value);
  if (disabled === true) return null;
  return toModel({ id, label: readText(displayName), enumName: readEnumName(model) });
}

/** The name of a model's enum, or its number as text; the unspecified one is none. */
function readEnumName(value: unknown): string {
  if (typeof value === 'number' && Number.isSafeInteger(value) && value > 0) return String(value);
  const name = readText(value).trim();
  return name === 'MODEL_UNSPECIFIED' ? '' : name;
}

function toModel({ id, label, enumName }: { id: string; label: string; enumName: string }): CascadeModel | null {
  if (enumName === '') return null;
  return { id: id.trim() || toSlug(label) || enumName.toLowerCase(), enumName, label: label === '' ? null : label };
}

/** `Gemini 3 Pro (High)` → `gemini-3-pro-high`. */
function toSlug(label: string): string {
  return label
    .toLowerCase()
    .replace(/[^\p{L}\p{N}.]+/gu, '-')
    .replace(/^-+|-+$/g, '');
}
