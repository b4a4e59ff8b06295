import { defineConfig } from 'vitest/config';

// One after the other: two cores, and a browser and a silo take both.
export default defineConfig({
  test: { include: ['test/**/*.test.ts'], globalSetup: './src/setup.ts', testTimeout: 90_000, hookTimeout: 120_000, fileParallelism: false },
});
