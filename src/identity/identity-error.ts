/** An act on profiles that cannot be done as asked; the message says what there is instead. */
export class IdentityError extends Error {
  override readonly name = 'IdentityError'
  readonly code: 'not_found' | 'already_merged' | 'already_undone' | 'already_decided'
  constructor(code: IdentityError['code'], message: string) {
    super(message)
    this.code = code
  }
}
