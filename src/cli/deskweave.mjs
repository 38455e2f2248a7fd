#!/usr/bin/env node
// Runs on any Node from 18 on: plain JavaScript that finds a Node which runs TypeScript, and hands over to it.
import { spawn } from 'node:child_process'
import { existsSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

const main = new URL('./main.mjs', import.meta.url)
const [major = 0, minor = 0] = process.versions.node.split('.').map(Number)

if (major > 22 || (major === 22 && minor >= 18)) {
  await import(main.href)
} else {
  const node = pinnedNode()
  if (node) handOver(node)
  else {
    console.error(
      `deskweave: this is Node ${process.versions.node}, and the Node 24 that belongs to Deskweave is not installed for ` +
        `${process.platform} ${process.arch}. Install Node 22.18 or newer, or install again with optional packages ` +
        '(npm install --include=optional).',
    )
    process.exitCode = 1
  }
}

function pinnedNode() {
  const platform = process.platform === 'win32' ? 'win' : process.platform
  try {
    const manifest = createRequire(import.meta.url).resolve(`node-${platform}-${process.arch}/package.json`)
    const program = join(dirname(manifest), 'bin', process.platform === 'win32' ? 'node.exe' : 'node')
    return existsSync(program) ? program : undefined
  } catch {
    return undefined
  }
}

/** @param {string} node */
function handOver(node) {
  const child = spawn(node, [fileURLToPath(main), ...process.argv.slice(2)], { stdio: 'inherit' })
  // A signal to this process alone must reach the hub; from a terminal both get it, and twice does no harm before the stop.
  for (const signal of ['SIGTERM', 'SIGHUP']) process.on(signal, () => child.kill(signal))
  process.on('SIGINT', () => {})
  child.on('error', (error) => {
    console.error(`deskweave: ${node} does not start: ${error.message}`)
    process.exitCode = 1
  })
  child.on('exit', (code, signal) => {
    if (signal) {
      process.removeAllListeners(signal)
      process.kill(process.pid, signal)
    } else process.exitCode = code ?? 1
  })
}
