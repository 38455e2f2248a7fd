/** The last line of a run, in words that any tool can read: how many passed, failed and were skipped. */
import type { Reporter, TestModule } from 'vitest/node'

export class ClosingLine implements Reporter {
  onTestRunEnd(modules: readonly TestModule[], unhandled: readonly unknown[]): void {
    const count = { passed: 0, failed: unhandled.length, skipped: 0, pending: 0 }
    for (const module of modules) {
      for (const test of module.children.allTests()) count[test.result().state] += 1
      // A file that broke before its tests ran has none to count.
      if (module.state() === 'failed' && module.errors().length > 0) count.failed += 1
    }
    // After the default reporter's own summary.
    setImmediate(() => console.log(`${count.passed} passed, ${count.failed} failed, ${count.skipped} skipped`))
  }
}
