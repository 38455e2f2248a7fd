import { defineConfig } from 'vitest/config'
import { ClosingLine } from './test/kit/closing-line.ts'

export default defineConfig({
  test: {
    include: ['test/**/*.test.ts', 'connectors/**/*.test.ts'],
    globalSetup: 'test/kit/server.ts',
    reporters: ['default', new ClosingLine()],
    pool: 'threads',
    maxWorkers: 2,
    testTimeout: 15_000,
    hookTimeout: 30_000,
    teardownTimeout: 30_000,
  },
})
