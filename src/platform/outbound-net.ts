/**
 * Sockets that are not HTTP (IMAP, SMTP). In: a host and port. Out: an address that was checked, or a `ConnectorError`; and
 * the account's budget for what leaves by them.
 */
import type { LookupAddress } from 'node:dns'
import { lookup } from 'node:dns/promises'
import type { Net } from '#hub/connector/contract.ts'
import { ConnectorError } from '#hub/connector/errors.ts'
import type { Pass } from './account-limits.ts'
import type { LimitNews } from './budget.ts'
import type { Account, CallScope } from './outbound-http.ts'
import { isPublicAddress } from './ssrf.ts'

/** Every address of a name. */
type Find = (host: string) => Promise<readonly LookupAddress[]>

/** @param find name lookup; the system's own when absent. */
export function createOutboundNet(
  { hosts, limits, name }: Pick<Account, 'hosts' | 'limits' | 'name'>,
  { signal, priority, beforeSend }: CallScope,
  find: Find = (host) => lookup(host, { all: true }),
): Net {
  return {
    async resolve(host, port) {
      const kind = hosts.checkSocket(host, port)
      const addresses = await find(host).catch((cause: unknown) => {
        throw new ConnectorError('unavailable', `${host}: the name could not be looked up`, { cause })
      })
      // Every address must be public: a name with one private address is a trap, whichever is called first.
      const closed = kind === 'public' ? addresses.find(({ address }) => !isPublicAddress(address)) : undefined
      if (closed) {
        throw new ConnectorError(
          'host_refused',
          `${host}:${port} resolves to ${closed.address}, which is not a public address; list it in DESKWEAVE_EXTRA_HOSTS`,
        )
      }
      const [first] = addresses
      if (!first) throw new ConnectorError('unavailable', `${host}: the name has no address`)
      return { address: first.address, servername: host }
    },
    async spend(exchange, budget) {
      const pass = await waitForTurn(limits.gate(budget).enter(priority, signal), name)
      let hasLeft = false
      try {
        const result = await exchange(() => {
          assertMaySend(beforeSend, name)
          hasLeft = true
        })
        pass.answered({ refused: false })
        return result
      } catch (error) {
        if (hasLeft) pass.answered(newsOf(error))
        else pass.unused()
        throw error
      }
    },
  }
}

/** It concerns the hub, not the vendor; nothing has left. */
function assertMaySend(beforeSend: CallScope['beforeSend'], name: string): void {
  try {
    beforeSend?.()
  } catch (cause) {
    throw new ConnectorError('unavailable', `${name}: held back, another process has the work now`, { cause })
  }
}

async function waitForTurn(entered: Pass | Promise<Pass>, name: string): Promise<Pass> {
  try {
    return await entered
  } catch (cause) {
    throw new ConnectorError('unavailable', `${name}: given up while it waited for the rate limit`, { cause })
  }
}

function newsOf(error: unknown): LimitNews | undefined {
  if (!(error instanceof ConnectorError) || error.code !== 'rate_limited') return undefined
  const { retryAfterMs } = error
  return { refused: true, ...(retryAfterMs === undefined ? {} : { retryAfterMs }) }
}
