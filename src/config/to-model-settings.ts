import { nearestName } from '../lib/nearest-name.ts';
import type { SettingsDocument } from './document-schema.ts';
import { usualLocalServers } from './find-local-backends.ts';
import type { BackendSettings, ModelSettings } from './settings.ts';
import type { SettingsFault } from './settings-error.ts';
import { toAliasRoutes } from './to-alias-routes.ts';

/** The section `models`, with every alias taken apart into models. */
export function toModelSettings(
  document: Pick<SettingsDocument, 'models' | 'backends'>,
  around: { readonly backends: readonly BackendSettings[]; readonly discovery: boolean; readonly source: string },
): { readonly settings: ModelSettings; readonly faults: readonly SettingsFault[] } {
  const { models = {}, backends = {} } = document;
  const local = around.discovery ? usualLocalServers.map(({ name }) => name) : [];
  const known = new Set([...Object.keys(backends), ...around.backends.map(({ name }) => name), 'rehearsal', ...local]);
  const { routes, faults } = toAliasRoutes(models.aliases ?? {}, (model) => troubleOf(model, known));
  return {
    settings: { defaultModel: models.default ?? null, aliases: routes },
    faults: faults.map(({ path, message }) => ({ source: around.source, path: `models.aliases.${path}`, message })),
  };
}

/** Why an alias cannot lead to that model; null: it can, as far as can be seen before any server was asked. */
function troubleOf(model: string, backends: ReadonlySet<string>): string | null {
  const slash = model.indexOf('/');
  // A bare name: some backend may have it.
  if (slash === -1) return null;
  const name = model.slice(0, slash);
  if (backends.has(name)) return slash + 1 < model.length ? null : `names no model of the backend '${name}'`;
  const meant = nearestName(name, backends);
  const hint = meant === undefined ? `there are ${[...backends].join(', ')}` : `did you mean '${meant}'?`;
  return `leads to the backend '${name}', and there is none of that name (${hint}); a model whose id has a slash needs its backend before it: backend/${model}`;
}
