import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    include: ['src/**/*.test.ts', 'test/**/*.test.ts', 'bench/**/*.test.ts'],
    testTimeout: 20_000,
    // Much of the tests is waiting for real servers: a third worker fills it.
    maxWorkers: 3,
  },
});
