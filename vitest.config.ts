import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    include: ['src/**/*.test.ts', 'test/**/*.test.ts', 'bench/**/*.test.ts'],
    // Only what hangs shall fail by it, also on a machine that is busy with other things.
    testTimeout: 60_000,
    hookTimeout: 60_000,
    // Much of the tests is waiting for real servers: a third worker fills it.
    maxWorkers: 3,
  },
});
