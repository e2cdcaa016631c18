/** Runs a job for each member, so many at a time; rejects with the first error. */
export async function runSideBySide<T>(members: readonly T[], run: (member: T) => Promise<void>, width = 8): Promise<void> {
  const waiting = members.values();
  async function runNext(): Promise<void> {
    for (const member of waiting) await run(member);
  }
  await Promise.all(Array.from({ length: width }, runNext));
}
