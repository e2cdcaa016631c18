/** Where in the pattern the parser stands. */
export interface PatternCursor {
  readonly text: string;
  at: number;
}

/** The pattern uses something that cannot be acted out here. Thrown and caught inside the parser only. */
export class UnsupportedPattern extends Error {}
