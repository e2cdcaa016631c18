import { isJsonObject, parseJson, type JsonObject } from '../../lib/json.ts';
import type { ModelEvent } from '../../model/model-event.ts';

interface Search {
  queries: readonly string[];
  sources: readonly string[];
}

/** The tools that a provider ran by itself. Searches of the web are shown as such; of all others `lose` tells. */
export class AiSdkHosted {
  readonly #emit: (event: ModelEvent) => void;
  readonly #lose: (reason: string) => void;
  readonly #searches = new Map<string, Search>();
  readonly #ids = new Set<string>();

  constructor(emit: (event: ModelEvent) => void, lose: (reason: string) => void) {
    this.#emit = emit;
    this.#lose = lose;
  }

  /** Whether deltas and ends under this id belong to such a tool. */
  has(id: unknown): boolean {
    return typeof id === 'string' && this.#ids.has(id);
  }

  /** `tool-input-start` */
  start({ id }: JsonObject): void {
    if (typeof id === 'string') this.#ids.add(id);
  }

  /** `tool-call` */
  call({ toolCallId, toolName, input }: JsonObject): void {
    const name = typeof toolName === 'string' ? toolName : '';
    if (!isSearch(name)) {
      this.#lose(`the provider used its own tool${toWord(name)}, which cannot be shown in a response`);
      return;
    }
    const values = typeof input === 'string' ? parseJson(input) : input;
    this.#searches.set(String(toolCallId), { queries: findQueries(values), sources: [] });
  }

  /** `tool-result`; a preliminary one is followed by the real one. */
  result({ toolCallId, result, preliminary }: JsonObject): void {
    const search = this.#searches.get(String(toolCallId));
    if (search === undefined || preliminary === true) return;
    this.#searches.delete(String(toolCallId));
    this.#show({
      queries: search.queries.length > 0 ? search.queries : findQueries(result),
      sources: findSources(result),
    });
  }

  /** Searches whose result never came. */
  finish(): void {
    for (const search of this.#searches.values()) this.#show(search);
    this.#searches.clear();
  }

  #show({ queries, sources }: Search): void {
    this.#emit({ type: 'web-search', queries, sources });
  }
}

function isSearch(name: string): boolean {
  return /(web|google|x)_?search|enterprise_?search|url_?context/i.test(name);
}

/** `{query}`, `{queries}`, or OpenAI's `{action: {query}}`. */
function findQueries(value: unknown): readonly string[] {
  if (!isJsonObject(value)) return [];
  const { query, queries, action } = value;
  if (typeof query === 'string' && query !== '') return [query];
  if (Array.isArray(queries)) return queries.filter((one): one is string => typeof one === 'string');
  return findQueries(action);
}

/** A list of pages, or one under `sources` or `results`. */
function findSources(value: unknown): readonly string[] {
  if (isJsonObject(value)) return findSources(value['sources'] ?? value['results']);
  if (!Array.isArray(value)) return [];
  return (value as readonly unknown[]).flatMap((page) =>
    isJsonObject(page) && typeof page['url'] === 'string' ? [page['url']] : [],
  );
}

/** A stranger's name goes into a sentence only as far as it looks like one. */
function toWord(name: string): string {
  return /^[\w.-]{1,64}$/.test(name) ? ` ${name}` : '';
}
