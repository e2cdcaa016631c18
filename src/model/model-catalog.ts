import type { Backend } from './backend.ts';

/** Where a model name of a request leads. */
export interface ResolvedModel {
  readonly backend: Backend;
  /** The upstream's model id. */
  readonly model: string;
  /** What responses show as `model`: `backend/model`. */
  readonly publicName: string;
}

/** Where a name may lead: an ordered fallback, each step of it one target or several equals. There is at least one target, and none stands there twice. */
export interface ModelRoute {
  readonly steps: readonly (readonly ResolvedModel[])[];
  /** Targets of the alias that are not there just now, as the configuration names them. */
  readonly missing: readonly string[];
}

export interface CatalogEntry {
  /** `backend/model` or an alias. */
  readonly id: string;
  /** Unix seconds; 0 when unknown. */
  readonly created: number;
  readonly ownedBy: string;
}

/** Which models there are and who serves them. */
export interface ModelCatalog {
  /**
   * A name is `backend/model`, an alias, or a bare model id that only one backend lists; null takes the default. Throws GatewayError `model_not_found` (param `model`,
   * lists what there is) or `missing_required_parameter` when there is no default.
   */
  resolveRoute(name: string | null): Promise<ModelRoute>;
  /** The first target of that route. */
  resolveModel(name: string | null): Promise<ResolvedModel>;
  /** The backend of that name (`gemini`), if it is there. */
  findBackend(name: string): Promise<Backend | undefined>;
  /** Every model of every backend that answers, then the aliases. A backend that does not answer in time is left out. */
  listModels(): Promise<readonly CatalogEntry[]>;
}
