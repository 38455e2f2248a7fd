/** Passwords and mail in clear stay inside the house. Pure. */
import { BlockList, isIPv6 } from 'node:net'
import { ConnectorError } from '#hub/connector/errors.ts'

const house = new BlockList()
house.addSubnet('127.0.0.0', 8)
house.addSubnet('10.0.0.0', 8)
house.addSubnet('172.16.0.0', 12)
house.addSubnet('192.168.0.0', 16)
house.addAddress('::1', 'ipv6')
house.addSubnet('fc00::', 7, 'ipv6')

/**
 * @param address as the hub has checked it: one of the house is reached only where the operator has listed the host.
 * @throws ConnectorError host_refused
 */
export function refusePlainText(tls: 'implicit' | 'starttls' | 'none', address: string, place: string): void {
  if (tls !== 'none' || house.check(address, isIPv6(address) ? 'ipv6' : 'ipv4')) return
  throw new ConnectorError(
    'host_refused',
    `${place} (${address}) would get the password in clear; set \`tls\` to "implicit" or "starttls"`,
  )
}
