/** How a connector's folder, its export and its files are named. */
import { Script } from 'node:vm'

/** `request-tracker` exports `requestTracker`. */
export function exportName(id: string): string {
  return id.replace(/-([a-z0-9])/g, (_, letter: string) => letter.toUpperCase())
}

/** `request-tracker` is called Request Tracker until somebody knows better. */
export function displayName(id: string): string {
  return id
    .split('-')
    .map((word) => `${word.slice(0, 1).toUpperCase()}${word.slice(1)}`)
    .join(' ')
}

/** Why a folder cannot have this name; undefined when it can. */
export function idProblem(id: string): string | undefined {
  if (!/^[a-z][a-z0-9]*(-[a-z0-9]+)*$/.test(id) || id.length > 40) {
    return `"${id}": expected the vendor in lower case with dashes, such as request-tracker`
  }
  try {
    new Script(`'use strict'; async () => { const ${exportName(id)} = 0 }`)
    return undefined
  } catch {
    return `"${id}" is a word of JavaScript; take a longer name, such as ${id}-desk`
  }
}
