/** How long this thread has worked, in ms: unlike the clock on the wall it stands still while others have the machine. */
export function cpuTimeMs(): number {
  const { user, system } = process.threadCpuUsage()
  return (user + system) / 1000
}
