/** Preloaded into a process: writes the files it has loaded to LOADED_MODULES, one a line, when it ends. */
import { writeFileSync } from 'node:fs'
import { registerHooks } from 'node:module'

const loaded = new Set()
registerHooks({
  load(url, context, next) {
    loaded.add(url)
    return next(url, context)
  },
})
process.on('exit', () => writeFileSync(process.env.LOADED_MODULES, [...loaded].join('\n')))
