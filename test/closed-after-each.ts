import { afterEach } from 'vitest';

interface Closable {
  close(): Promise<unknown>;
}

/** What is put into this list is closed when the test is over. */
export function closedAfterEach(): Closable[] {
  const open: Closable[] = [];
  afterEach(async () => {
    await Promise.all(open.splice(0).map((one) => one.close()));
  });
  return open;
}
