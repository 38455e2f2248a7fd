/** Headless Chromium for tests, with everything off that would ask somebody else's server. */
import { existsSync } from 'node:fs'
import { type Browser, chromium } from 'playwright-core'

const executablePath = process.env['CHROMIUM'] ?? '/usr/bin/chromium'
const args = [
  '--no-sandbox',
  '--disable-gpu',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
  // A vendor's page that frames the hub on this machine: elsewhere the hub is as public as the page.
  '--disable-features=LocalNetworkAccessChecks',
]

/** For the name of what is skipped without it. */
export const needsChromium = `needs Chromium at ${executablePath}`
export const hasChromium = existsSync(executablePath)

export const startChromium = (): Promise<Browser> => chromium.launch({ executablePath, args })
