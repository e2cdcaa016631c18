import type { AliasDocument } from './alias-document.ts';

/** Steps of an ordered fallback; the models of one step are equals. */
type Route = readonly (readonly string[])[];

interface AliasFault {
  /** `smart`, `pool[0][1]` */
  readonly path: string;
  readonly message: string;
}

/** Where a name stands that is being taken apart. */
interface Place {
  /** The aliases around it, from the one that is asked for on. */
  readonly within: readonly string[];
  /** Where in the first of them. */
  readonly path: string;
  /** Whether it stands among equals. */
  readonly isEqual: boolean;
}

/**
 * Every alias as a route of models. A name in an alias that is itself an alias stands for all of that one; among equals it may only be one that has no order. `troubleOf` says why a model cannot be a target, or
 * null. Routes are right only when there are no faults.
 */
export function toAliasRoutes(
  aliases: Readonly<Record<string, AliasDocument>>,
  troubleOf: (model: string) => string | null,
): { readonly routes: ReadonlyMap<string, Route>; readonly faults: readonly AliasFault[] } {
  const faults: AliasFault[] = [];
  const written = new Map(Object.entries(aliases));

  function expand(model: string, { within, path, isEqual }: Place): Route {
    // What is wrong inside another alias is said there.
    const report = (message: string, isOwn = within.length === 1): void => {
      if (isOwn) faults.push({ path, message });
    };
    const alias = written.get(model);
    if (alias === undefined) {
      const trouble = troubleOf(model);
      if (trouble !== null) report(trouble);
      return [[model]];
    }
    if (within.includes(model)) {
      const circle = [...within, model].join(' → ');
      report(`leads in a circle: ${circle}; to mean a model of that name, write its backend before it`, within[0] === model);
      return [];
    }
    const route = expandAlias(alias, [...within, model], path);
    if (isEqual && route.length > 1) report(`'${model}' is an ordered list, which cannot be one of several equals`);
    return route;
  }

  /** `path`: undefined for the alias that is asked for itself, whose members have places of their own. */
  function expandAlias(alias: AliasDocument, within: readonly string[], path?: string): Route {
    const name = within[0] ?? '';
    if (typeof alias === 'string') return expand(alias, { within, path: path ?? name, isEqual: false });
    return alias.flatMap((step, at) => {
      const place = path ?? `${name}[${String(at)}]`;
      if (typeof step === 'string') return expand(step, { within, path: place, isEqual: false });
      const equals = step.map((model, index) =>
        expand(model, { within, path: path ?? `${place}[${String(index)}]`, isEqual: true }),
      );
      return [equals.flatMap((route) => route.flat())];
    });
  }

  const routes = new Map([...written].map(([name, alias]) => [name, expandAlias(alias, [name])]));
  return { routes, faults };
}
