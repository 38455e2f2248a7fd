/**
 * Serves the page of cards on this machine only: a tool of development, no part of a hub. The page runs its own script file
 * and no other.
 */
import { readFileSync } from 'node:fs'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import { createRequire } from 'node:module'
import type { AddressInfo } from 'node:net'
import { languages } from '#hub/surveys/messages/index.ts'
import { previewPage } from './page.ts'

const require = createRequire(import.meta.url)
const script = 'text/javascript; charset=utf-8'
const style = 'text/css; charset=utf-8'

const files: Readonly<Record<string, { readonly type: string; read(): Buffer }>> = {
  '/preview/client.js': { type: script, read: () => readFileSync(new URL('./client.js', import.meta.url)) },
  '/preview/style.css': { type: style, read: () => readFileSync(new URL('./style.css', import.meta.url)) },
  '/preview/adaptivecards.js': {
    type: script,
    read: () => readFileSync(require.resolve('adaptivecards/dist/adaptivecards.min.js')),
  },
  '/preview/adaptivecards.css': {
    type: style,
    read: () => readFileSync(require.resolve('adaptivecards/dist/adaptivecards.css')),
  },
}
const policy =
  "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
const ownNames = new Set(['127.0.0.1', 'localhost'])

export interface PreviewServer {
  readonly url: string
  close(): Promise<void>
}

/** @param port 0: any. */
export async function startPreview(port: number): Promise<PreviewServer> {
  const server = createServer(answer)
  await new Promise<void>((resolve, reject) => server.once('error', reject).listen(port, '127.0.0.1', resolve))
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/preview/cards`
  return {
    url,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve())
        server.closeAllConnections()
      }),
  }
}

function answer(request: IncomingMessage, response: ServerResponse): void {
  const send = (status: number, type: string, body: string | Buffer) => {
    response.writeHead(status, {
      'content-type': type,
      'content-security-policy': policy,
      'x-content-type-options': 'nosniff',
      'cache-control': 'no-store',
    })
    response.end(body)
  }
  const url = URL.parse(request.url ?? '', 'http://127.0.0.1')
  const host = (request.headers.host ?? '').replace(/:\d+$/, '')
  // A page of somebody else's whose name leads here must not read it.
  const file = files[url?.pathname ?? '']
  if (!ownNames.has(host)) send(403, 'text/plain', 'this page is for 127.0.0.1 only')
  else if (url?.pathname === '/preview/cards') {
    const language = languages.find((one) => one === url.searchParams.get('lang')) ?? 'en'
    send(200, 'text/html; charset=utf-8', previewPage(language))
  } else if (file) send(200, file.type, file.read())
  else send(404, 'text/plain', 'the cards are at /preview/cards')
}
