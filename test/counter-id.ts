/** Ids that are equal in every run: `msg_1`, `fc_2` … */
export function counterId(): (prefix: string) => string {
  let count = 0;
  return (prefix) => `${prefix}_${String(++count)}`;
}
