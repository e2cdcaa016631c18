/** Steps that may still be spent on one value. Schemas and patterns come from clients, and some of them are exponential by design. */
export interface WorkBudget {
  /** Takes one step; false when none is left. */
  spend(): boolean;
}

/** A budget of that many steps. */
export function createWorkBudget(steps: number): WorkBudget {
  let left = steps;
  return { spend: () => --left >= 0 };
}
