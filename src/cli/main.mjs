/**
 * Before anything else is loaded: Node keeps what it compiled, so that the next start compiles nothing again. In plain
 * JavaScript, since a first file in TypeScript would be translated before that: the translator alone takes 13 MB.
 */
import module from 'node:module'
import { fileURLToPath } from 'node:url'

// Beside the code and not in the machine's shared folder, where others could write. Where it cannot be written, nothing is kept.
module.enableCompileCache(fileURLToPath(new URL('../../node_modules/.cache/deskweave', import.meta.url)))
await import('./program.ts')
