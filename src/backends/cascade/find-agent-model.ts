import { nearestName } from '../../lib/nearest-name.ts';
import { GatewayError } from '../../model/errors.ts';
import type { AgentModel } from './agent-server.ts';

export interface ModelQuestion {
  readonly backendName: string;
  /** What the client wrote behind the slash: a public id, a label, or the server's own name. */
  readonly name: string;
  /** What `default` stands for; null: the first model. */
  readonly defaultModel: string | null;
}

/** How many names an error lists: enough to choose from, few enough to read. */
const namesShown = 20;
const longestName = 200;

/** The model that is meant. Throws `model_not_found`, which lists what there is. */
export function findAgentModel(models: readonly AgentModel[], question: ModelQuestion): AgentModel {
  const { name, defaultModel } = question;
  const found = findByName(models, name) ?? (name === 'default' ? findDefault(models, defaultModel) : undefined);
  if (found !== undefined) return found;
  throw unknownModel(models, { ...question, name: name === 'default' ? (defaultModel ?? name) : name });
}

function findDefault(models: readonly AgentModel[], defaultModel: string | null): AgentModel | undefined {
  return defaultModel === null ? models[0] : findByName(models, defaultModel);
}

/** By public id, then by the server's own name, then by label whatever its case (backends.md A.2, "Model ids"). */
function findByName(models: readonly AgentModel[], name: string): AgentModel | undefined {
  const written = name.toLowerCase();
  return (
    models.find(({ id }) => id === name) ??
    models.find(({ enumName }) => enumName === name) ??
    models.find(({ id, label }) => id.toLowerCase() === written || label?.toLowerCase() === written)
  );
}

function unknownModel(models: readonly AgentModel[], { backendName, name }: ModelQuestion): GatewayError {
  const written = name.length > longestName ? `${name.slice(0, longestName)}…` : name;
  const names = models.map(({ id }) => `${backendName}/${id}`);
  const meant = nearestName(`${backendName}/${name}`, names);
  const more = names.length > namesShown ? ` and ${names.length - namesShown} more (GET /v1/models lists them all)` : '';
  const sentences = [
    `The agent server of the backend ${backendName} has no model '${written}'.`,
    ...(meant === undefined ? [] : [`Did you mean '${meant}'?`]),
    names.length === 0
      ? 'It lists no models; they can be configured with the key `models` of this backend.'
      : `Available: ${names.slice(0, namesShown).join(', ')}${more}.`,
  ];
  return new GatewayError('model_not_found', sentences.join(' '), { param: 'model' });
}
