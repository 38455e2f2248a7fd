import { describe, expect, it } from 'vitest'
import { type MailCounts, whyHeld } from '#hub/pipeline/automatic-mail.ts'

const none: MailCounts = { repliesOnCase: 0, repliesToday: 0, busiest: undefined, bouncing: [] }

describe('an automatic mail', () => {
  it.each<[string, Partial<MailCounts>, boolean, RegExp | undefined]>([
    ['leaves when nothing speaks against it', {}, true, undefined],
    ['leaves once per case in answer to what came in', { repliesOnCase: 1 }, true, /answered on this case already/],
    ['leaves again when a person set it off', { repliesOnCase: 3 }, false, undefined],
    ['leaves four times a day and a fifth time', { repliesToday: 4 }, true, undefined],
    ['is held the sixth time a day', { repliesToday: 5 }, false, /5 mails within 24 hours/],
    ['leaves to a busy sender', { busiest: { address: 'a@b.example', messages: 10 } }, true, undefined],
    [
      'is held for one who floods a case',
      { busiest: { address: 'a@b.example', messages: 11 } },
      false,
      /a@b\.example has sent 11/,
    ],
    [
      'is held for an address that mail does not reach',
      { bouncing: ['a@b.example'] },
      false,
      /mail to a@b\.example bounces/,
    ],
  ])('%s', (_, counts, isAnswer, reason) => {
    const held = whyHeld({ ...none, ...counts }, isAnswer)
    if (reason) expect(held).toMatch(reason)
    else expect(held).toBeUndefined()
  })
})
