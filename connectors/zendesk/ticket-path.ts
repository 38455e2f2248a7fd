import { ConnectorError } from '#hub/connector/errors.ts'

/** @throws ConnectorError not_found: nothing else than an id of digits goes into a path. */
export function ticketPath(id: string): string[] {
  if (/^\d+$/.test(id)) return ['tickets', id]
  throw new ConnectorError('not_found', `zendesk ticket "${id.slice(0, 40)}": a ticket id has digits only`)
}
