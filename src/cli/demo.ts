/** `deskweave demo` */
import { type DemoOptions, runDemo } from '#hub/demo/index.ts'

export async function demo(options: DemoOptions): Promise<void> {
  if (!(await runDemo(options))) process.exitCode = 1
}
