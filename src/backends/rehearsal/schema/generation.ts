import type { JsonObject, JsonValue } from '../../../lib/json.ts';
import type { TextHints } from '../text-hints.ts';
import type { WorkBudget } from './work-budget.ts';

/** Where a value goes. */
export interface Place {
  /** Name of the nearest property: the best hint at what belongs there. */
  readonly name: string;
  readonly depth: number;
  /** References followed on the way here. */
  readonly references: readonly string[];
  /** 0 for the best value; higher numbers ask for others, for lists whose items must differ. */
  readonly variant: number;
}

/** One run of the generator: everything that is the same for all its values. */
export interface Generation {
  readonly root: JsonObject;
  readonly hints: TextHints;
  readonly optional: 'all' | 'mentioned';
  readonly budget: WorkBudget;
  /** A valid value for a schema, or undefined. */
  generate(schema: unknown, place: Place): JsonValue | undefined;
}
