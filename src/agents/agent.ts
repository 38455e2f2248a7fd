/** Who works on cases, and what their role lets them do. Pure. */
import { z } from 'zod'
import { type ChatLanguage, chatLanguages } from '#hub/connector/chat.ts'
import { normaliseEmail } from '#hub/identity/index.ts'
import { type AgentRole, agentRoles, type QuietHours } from '#hub/platform/db/schema.ts'
import { afterQuietHours, isQuiet, WrittenQuietHours } from '#hub/platform/quiet-hours.ts'

export interface Agent {
  readonly id: string
  /** As `normaliseEmail` writes it: one spelling per mailbox. */
  readonly email: string
  readonly name: string
  readonly role: AgentRole
  /** Null: as the connection says. */
  readonly language: ChatLanguage | null
  readonly quietHours: QuietHours | null
  /** False: has left. What they did keeps their name, and they can do nothing more. */
  readonly active: boolean
}

/** Whether they may change anything: a viewer only looks, and who has left does not even that. */
export function mayAct({ active, role }: Pick<Agent, 'active' | 'role'>): boolean {
  return active && role !== 'viewer'
}

/** When they may be told something: at once (undefined), or after their quiet hours. What is urgent does not wait. */
export function toldAt({ quietHours }: Pick<Agent, 'quietHours'>, now: Date, isUrgent: boolean): Date | undefined {
  return quietHours && !isUrgent && isQuiet(now, quietHours) ? afterQuietHours(now, quietHours) : undefined
}

/** An address as people write it, in the one spelling that the hub compares. */
const AgentEmail = z
  .string()
  .max(320)
  .transform((text, ctx) => {
    const email = normaliseEmail(text)
    if (email !== undefined) return email
    ctx.addIssue({ code: 'custom', message: 'expected an e-mail address such as "leo@desk.example"' })
    return z.NEVER
  })

const written = {
  email: AgentEmail,
  name: z.string().trim().min(1, 'expected a name').max(200),
  role: z.enum(agentRoles),
  language: z.enum(chatLanguages).nullable(),
  quiet_hours: WrittenQuietHours.nullable(),
  active: z.boolean(),
}

/** An agent as an admin writes it, in files and through the API. */
export const WrittenAgent = z.strictObject({
  ...written,
  role: written.role.default('agent'),
  language: written.language.default(null),
  quiet_hours: written.quiet_hours.default(null),
  active: written.active.default(true),
})
export type WrittenAgent = z.output<typeof WrittenAgent>

export const AgentChange = z
  .strictObject(written)
  .partial()
  .refine((change) => Object.keys(change).length > 0, 'give at least one field to change')
export type AgentChange = z.output<typeof AgentChange>
