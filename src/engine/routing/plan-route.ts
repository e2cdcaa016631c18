import type { ResolvedModel } from '../../model/model-catalog.ts';

/** Targets that are equally good, in the order in which they are asked. */
export type RouteStep = readonly ResolvedModel[];

/**
 * In which order the steps of a route are asked. Among equals: the session's own target first, then in turn from `turn`. The target that made the previous response comes before everything: signatures are
 * bound to the model, and its cache holds the history.
 */
export function planRoute(
  steps: readonly RouteStep[],
  choice: {
    /** `backend/model` that made the previous response, or null. */
    readonly previousModel: string | null;
    /** By index of the step: the target that this session had there, and whose turn it is. */
    readonly places: readonly { readonly sticky: string | undefined; readonly turn: number }[];
  },
): readonly RouteStep[] {
  const ordered = steps.map((step, at) => {
    const { sticky, turn } = choice.places[at] ?? { sticky: undefined, turn: 0 };
    return toFront(rotate(step, turn), sticky);
  });
  const [first = [], ...others] = ordered;
  if (choice.previousModel === null || first.some(isNamed(choice.previousModel))) {
    return [toFront(first, choice.previousModel ?? undefined), ...others];
  }
  const previous = others.flat().find(isNamed(choice.previousModel));
  if (previous === undefined) return ordered;
  return [[previous], ...ordered.map((step) => step.filter((target) => target !== previous)).filter((step) => step.length > 0)];
}

function rotate(step: RouteStep, turn: number): RouteStep {
  const start = step.length === 0 ? 0 : turn % step.length;
  return [...step.slice(start), ...step.slice(0, start)];
}

function toFront(step: RouteStep, name: string | undefined): RouteStep {
  const found = step.find(isNamed(name));
  return found === undefined ? step : [found, ...step.filter((target) => target !== found)];
}

function isNamed(name: string | undefined): (target: ResolvedModel) => boolean {
  return ({ publicName }) => publicName === name;
}
