/** Asks a person at a terminal. What is typed for a secret is not shown. */
import { createInterface } from 'node:readline/promises'
import { Writable } from 'node:stream'

export interface Prompt {
  /** @returns without white space around it; empty when the person just pressed Enter. @throws Error on Ctrl-C or Ctrl-D. */
  ask(question: string, options?: { readonly isSecret?: boolean }): Promise<string>
  say(text: string): void
  close(): void
}

export function createPrompt(input: NodeJS.ReadableStream, output: NodeJS.WritableStream): Prompt {
  let isHidden = false
  const shown = new Writable({
    write(chunk: Buffer, _encoding, done) {
      if (!isHidden) output.write(chunk)
      done()
    },
  })
  // As a terminal, so that echoing is ours to leave out.
  const lines = createInterface({ input, output: shown, terminal: true })
  const stopped = new AbortController()
  lines.once('SIGINT', () => stopped.abort())
  lines.once('close', () => stopped.abort())
  return {
    async ask(question, { isSecret = false } = {}) {
      // Readline draws its line anew at each key, over what stands there; it must know the question to draw it again.
      if (isSecret) output.write(question)
      isHidden = isSecret
      try {
        return (await lines.question(isSecret ? '' : question, { signal: stopped.signal })).trim()
      } catch (error) {
        throw new Error('stopped; nothing was saved', { cause: error })
      } finally {
        if (isSecret) output.write('\n')
        isHidden = false
      }
    },
    say: (text) => void output.write(`${text}\n`),
    close: () => lines.close(),
  }
}
