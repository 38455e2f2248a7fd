/** Where an app is installed, kept in memory: for connectors under test. */
import type { Installation, Installations } from '#hub/connector/contract.ts'

export function memoryInstallations(first: readonly Installation[] = []): Installations {
  const kept = new Map(first.map((one) => [one.key, one]))
  return {
    list: async () => [...kept.values()].map(({ key, name }) => ({ key, name })),
    get: async (key) => kept.get(key),
    put: async (one) => void kept.set(one.key, one),
    remove: async (key) => void kept.delete(key),
  }
}
