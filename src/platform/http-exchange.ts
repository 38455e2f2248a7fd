/**
 * One HTTP call over the guarded pool, with a total time and a size that no server can stretch. It tells apart what the
 * outbox must know: the call never left, it left and nothing clear came back, or there is an answer.
 */
import type { Dispatcher } from 'undici'
import type { AnswerHeaders } from './http-answer.ts'
import type { GuardedAgent } from './ssrf.ts'

export interface Call {
  readonly method: string
  readonly url: URL
  readonly headers: Readonly<Record<string, string>>
  readonly body?: string | Uint8Array
  readonly timeoutMs: number
  readonly maxBytes: number
  readonly signal: AbortSignal
  /** Called when a socket is ready and the request is about to leave; throws when the caller may not send any more. */
  readonly beforeSend?: () => void
}

export interface Answer {
  readonly status: number
  readonly statusText: string
  readonly headers: AnswerHeaders
  readonly body: Buffer
}

/** The answer is longer than the hub reads. */
export class AnswerTooLong extends Error {
  override readonly name = 'AnswerTooLong'
  readonly status: number
  constructor(status: number, maxBytes: number) {
    super(`the answer is longer than ${maxBytes} bytes`)
    this.status = status
  }
}

/** No answer. `sent`: the request was on its way, so that it may have been carried out. */
export class NoAnswer extends Error {
  override readonly name = 'NoAnswer'
  readonly sent: boolean
  constructor(sent: boolean, cause: unknown) {
    super(cause instanceof Error ? cause.message : String(cause), { cause })
    this.sent = sent
  }
}

const nothing = Buffer.alloc(0)

/** @throws NoAnswer, AnswerTooLong */
export async function exchange(agent: GuardedAgent, call: Call): Promise<Answer> {
  const pool = await agent.pool()
  return await new Promise((resolve, reject) => {
    const handler = new Exchange(call, resolve, reject)
    if (handler.isOver) return
    try {
      pool.dispatch(
        {
          origin: call.url.origin,
          path: call.url.pathname + call.url.search,
          method: call.method,
          headers: call.headers,
          body: typeof call.body === 'object' ? Buffer.from(call.body) : (call.body ?? null),
          // The total time is watched below.
          headersTimeout: 0,
          bodyTimeout: 0,
        },
        handler,
      )
    } catch (error) {
      // Headers or a method that HTTP does not know: undici throws them before anything is sent.
      handler.onResponseError(undefined, error)
    }
  })
}

class Exchange implements Dispatcher.DispatchHandler {
  isOver = false
  readonly #call: Call
  readonly #resolve: (answer: Answer) => void
  readonly #reject: (error: Error) => void
  readonly #timer: NodeJS.Timeout
  readonly #stop: () => void
  #controller: Dispatcher.DispatchController | undefined
  #status = 0
  #statusText = ''
  #headers: AnswerHeaders = {}
  #chunks: Buffer[] = []
  #bytes = 0

  constructor(call: Call, resolve: (answer: Answer) => void, reject: (error: Error) => void) {
    this.#call = call
    this.#resolve = resolve
    this.#reject = reject
    this.#stop = () => this.#abort(new NoAnswer(this.#isSent, call.signal.reason))
    this.#timer = setTimeout(() => {
      this.#abort(new NoAnswer(this.#isSent, new Error(`no answer within ${call.timeoutMs / 1_000} s`)))
    }, call.timeoutMs)
    if (call.signal.aborted) this.#stop()
    else call.signal.addEventListener('abort', this.#stop)
  }

  get #isSent(): boolean {
    return this.#controller !== undefined
  }

  onRequestStart(controller: Dispatcher.DispatchController): void {
    // Given up while it waited for a socket: it must not leave any more.
    try {
      if (!this.isOver) this.#call.beforeSend?.()
    } catch (error) {
      this.#abort(new NoAnswer(false, error))
    }
    if (this.isOver) controller.abort(new Error('given up'))
    else this.#controller = controller
  }

  onResponseStart(
    _controller: Dispatcher.DispatchController,
    status: number,
    headers: AnswerHeaders,
    statusText?: string,
  ): void {
    this.#status = status
    this.#statusText = statusText ?? ''
    this.#headers = headers
    if (Number(headers['content-length'] ?? 0) > this.#call.maxBytes) this.#abort(this.#tooLong())
  }

  onResponseData(_controller: Dispatcher.DispatchController, chunk: Buffer): void {
    this.#bytes += chunk.length
    if (this.#bytes > this.#call.maxBytes) this.#abort(this.#tooLong())
    else this.#chunks.push(chunk)
  }

  onResponseEnd(): void {
    if (!this.#finish()) return
    const [first = nothing] = this.#chunks
    this.#resolve({
      status: this.#status,
      statusText: this.#statusText,
      headers: this.#headers,
      body: this.#chunks.length > 1 ? Buffer.concat(this.#chunks) : first,
    })
  }

  onResponseError(_controller: unknown, error: unknown): void {
    if (this.#finish()) this.#reject(new NoAnswer(this.#isSent, error))
  }

  #tooLong(): AnswerTooLong {
    return new AnswerTooLong(this.#status, this.#call.maxBytes)
  }

  #abort(reason: Error): void {
    if (!this.#finish()) return
    this.#chunks = []
    this.#controller?.abort(reason)
    this.#reject(reason)
  }

  #finish(): boolean {
    if (this.isOver) return false
    this.isOver = true
    clearTimeout(this.#timer)
    this.#call.signal.removeEventListener('abort', this.#stop)
    return true
  }
}
