/**
 * Mailboxes that belong to a function, not to a person: as keys they would glue strangers together. English and Spanish,
 * the languages the hub ships with; `identity.blocked_emails` adds a company's own.
 */
const roles = new Set(
  `abuse accounting accounts admin administracion administration administrator alerts all atencion ayuda billing booking
  bookings buchhaltung careers clientes comercial compras contabilidad contact contacto contactus correo customercare
  customerservice daemon desk devnull dispatch enquiries everyone facturacion facturas feedback finance frontdesk hello help
  helpdesk hola hostmaster hr info informacion inquiries invoice invoices it jobs kontakt legal mail mailbox mailer mailerdaemon
  mailer-daemon marketing media news newsletter noc noreply notification notifications nobody null office oficina order orders
  partners payments pedidos postmaster press privacy prueba purchasing recepcion reception recruiting recursoshumanos
  reservas returns root rrhh sales security service servicedesk servicio shop soporte staff subscribe support sysadmin system
  team tech techsupport test unsubscribe usenet user ventas web webmaster welcome www`.split(/\s+/),
)
/** Also as the beginning of a longer name: `noreply-orders@`, `bounce-7f3@`. */
const machine =
  /^(no|do-?not|not)[-_.]?(reply|responder|responda|contestar)([-_.+=]|\d|$)|^(bounces?|mailer-daemon|postmaster|notifications?|reply|ticket)[-_+=]/

/** @param local the part before the @, lower-case. */
export function isRoleAddress(local: string): boolean {
  const [name = ''] = local.split('+', 1)
  return roles.has(name) || roles.has(name.replaceAll(/[-_.]/g, '')) || machine.test(local)
}
