/** A connection cannot be made, found or changed this way; the message says why and what to do. */
export class ConnectionRefused extends Error {
  override readonly name = 'ConnectionRefused'
  readonly code: 'unknown_connector' | 'check_failed' | 'name_taken' | 'not_found' | 'changed_meanwhile'
  constructor(code: ConnectionRefused['code'], message: string, cause?: unknown) {
    super(message, { cause })
    this.code = code
  }
}
