import type { SchemaLosses } from './schema-losses.ts';
import type { SchemaNode } from './schema-node.ts';

/** Where the compiler stands. */
export interface SchemaPlace {
  readonly path: string;
  readonly depth: number;
  /** The references that are being inlined, outermost first. */
  readonly references: readonly string[];
}

export interface CompileContext {
  readonly place: SchemaPlace;
  readonly losses: SchemaLosses;
  /** Compiles a sub-schema. */
  readonly compile: (schema: unknown, place: SchemaPlace) => SchemaNode;
}

/** The place of a sub-schema. */
export function within(place: SchemaPlace, member: string): SchemaPlace {
  return { path: `${place.path}.${member}`, depth: place.depth + 1, references: place.references };
}
