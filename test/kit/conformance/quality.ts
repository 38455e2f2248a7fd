/** `quality.json` of a connector: which rules it keeps, and the written reason where it does not. */
import { readFileSync } from 'node:fs'
import { z } from 'zod'

/** Rules by tier; a tier is reached when its rules and those of the tiers before it are done or exempt. */
const qualityTiers = {
  bronze: [
    /** All checks of the kit are green. */
    'conformance',
    /** `check` proves credentials before a connection is saved. */
    'check_before_save',
    /** The README tells an admin how to set it up, and how to remove it at the vendor. */
    'setup_docs',
    'removal_docs',
    /** The vendor's signature covers the body. */
    'signed_body',
    /** It covers the time, so that old requests are refused. */
    'replay_window',
    /** Item keys come from signed bytes only. */
    'signed_keys',
    /** A fixture shows our own write coming back with `byHub`. */
    'own_echo',
  ],
  silver: [
    /** A sandbox plays the vendor over real HTTP. */
    'sandbox',
    /** `changes` finds what webhooks lost. */
    'poll_fallback',
    /** The README says how to change the webhook secret without losing events. */
    'secret_rotation',
  ],
  gold: [
    /** The README names the vendor's limits and what the hub does about them. */
    'limits_documented',
    /** Tried against a real account; the README says when. */
    'live_check',
  ],
} as const
export type QualityTier = keyof typeof qualityTiers
export type QualityRule = (typeof qualityTiers)[QualityTier][number]

const allRules: readonly QualityRule[] = Object.values(qualityTiers).flat()
const reason = z.string().min(20, 'a reason is a sentence')
const standing = z.union([z.literal('done'), z.strictObject({ todo: reason }), z.strictObject({ exempt: reason })])
const schema = z.strictObject({ rules: z.record(z.enum(allRules), standing) })
export type Quality = z.output<typeof schema>['rules']

/** @throws when a rule is missing, unknown, or stands without a reason. */
export function readQuality(folder: URL): Quality {
  return schema.parse(JSON.parse(readFileSync(new URL('quality.json', folder), 'utf8'))).rules
}

/** Why a rule is not kept; undefined when it is. */
export function reasonAgainst(quality: Quality, rule: QualityRule): string | undefined {
  const standing = quality[rule]
  if (standing === 'done') return undefined
  return 'todo' in standing ? `to do: ${standing.todo}` : standing.exempt
}

export function tierOf(quality: Quality): QualityTier | undefined {
  let reached: QualityTier | undefined
  for (const tier of ['bronze', 'silver', 'gold'] as const) {
    const open = qualityTiers[tier].some((rule) => {
      const standing = quality[rule]
      return standing !== 'done' && 'todo' in standing
    })
    if (open) return reached
    reached = tier
  }
  return reached
}
