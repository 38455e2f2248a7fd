/** What tests may use: real parts, made quick and repeatable. */
export { type FakeClock, fakeClock } from './clock.ts'
export { type ConformanceOptions, checks, conformance } from './conformance.ts'
export { type TestDatabase, testDatabase } from './database.ts'
export { memoryInstallations } from './installations.ts'
export { type Line, quietLog, recordingLog } from './log.ts'
export { type MailServers, startMailServers, whyNoMailServers } from './mail-servers.ts'
export { middleman } from './middleman.ts'
export { type FakeTiming, fakeTiming } from './timing.ts'
