/** The words of those rules that are broken: `[isBroken, words]`. */
export function faultsOf(...rules: readonly (readonly [boolean, string])[]): string[] {
  return rules.filter(([isBroken]) => isBroken).map(([, words]) => words);
}
