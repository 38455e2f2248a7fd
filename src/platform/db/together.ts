/** Statements of one transaction that need not wait for each other: they are on their way to the server at the same time. */

/** "Current transaction is aborted": says only that another statement failed before. */
const afterFailure = '25P02'

/**
 * Like `Promise.all`, but waits for all also when one fails: a statement that is sent after its transaction has ended would
 * stand alone, or in somebody else's.
 * @throws what failed first, not what failed because of it.
 */
export async function together<T extends readonly unknown[]>(
  ...under: { readonly [K in keyof T]: Promise<T[K]> }
): Promise<T> {
  const ended = await Promise.allSettled(under)
  const failed = ended.flatMap((one) => (one.status === 'rejected' ? [one.reason] : []))
  if (failed.length > 0) throw failed.find((reason) => !isAfterFailure(reason)) ?? failed[0]
  return (await Promise.all(under)) as unknown as T
}

function isAfterFailure(reason: unknown): boolean {
  return reason instanceof Error && 'code' in reason && reason.code === afterFailure
}
