import { describe, expect, it } from 'vitest'
import { limitNews, retryAfterMs, vendorText } from '#hub/platform/http-answer.ts'

const now = new Date('2026-11-22T10:00:00Z')

describe('retryAfterMs', () => {
  it.each([
    ['0', 0],
    ['7', 7_000],
    ['3600', 3_600_000],
    ['1e9', undefined],
    ['1000000000', 3_600_000],
    ['Sun, 22 Nov 2026 10:00:30 GMT', 30_000],
    ['Mon, 23 Nov 2026 10:00:00 GMT', 3_600_000],
    ['Sun, 22 Nov 2026 09:00:00 GMT', 0],
    ['-5', undefined],
    ['NaN', undefined],
    ['', undefined],
    ['soon', undefined],
    ['Sunday of never', undefined],
  ])('reads "%s" as %s', (text, expected) => {
    expect(retryAfterMs({ 'retry-after': text }, now)).toBe(expected)
  })
})

describe('limitNews', () => {
  it.each([
    [
      { 'ratelimit-limit': '100;w=10', 'ratelimit-remaining': '7', 'ratelimit-reset': '4' },
      { limit: 100, remaining: 7, resetMs: 4_000 },
    ],
    [
      { 'x-rate-limit': '700', 'x-rate-limit-remaining': '699' },
      { limit: 700, remaining: 699 },
    ],
    [
      {
        'x-ratelimit-limit': '60',
        'x-ratelimit-remaining': '0',
        'x-ratelimit-reset': String(now.getTime() / 1_000 + 20),
      },
      { limit: 60, remaining: 0, resetMs: 20_000 },
    ],
    [
      { 'x-ratelimit-remaining': '5', 'x-ratelimit-reset': String(now.getTime() + 1_500) },
      { remaining: 5, resetMs: 1_500 },
    ],
    [
      {
        'x-hubspot-ratelimit-max': '190',
        'x-hubspot-ratelimit-remaining': '188',
        'x-hubspot-ratelimit-interval-milliseconds': '10000',
        'x-hubspot-ratelimit-daily-remaining': '3',
      },
      { limit: 190, remaining: 188, resetMs: 10_000 },
    ],
    [{ 'x-hubspot-ratelimit-daily-remaining': '3' }, {}],
    [
      { 'x-rate-limit-remaining': '699', 'zendesk-ratelimit-ticket-update': 'total=100; remaining=99; resets=41' },
      { remaining: 699, named: { limit: 100, remaining: 99, resetMs: 41_000 } },
    ],
    [
      { 'zendesk-ratelimit-incremental': 'total=10; remaining=0; resets=5' },
      { named: { limit: 10, remaining: 0, resetMs: 5_000 } },
    ],
    [{ 'zendesk-ratelimit-incremental': 'soon' }, {}],
    [{ 'x-ratelimit-remaining': 'many', 'x-ratelimit-reset': '-3' }, {}],
    [{}, {}],
  ])('reads %o', (headers, expected) => {
    expect(limitNews(200, headers, now)).toEqual({ refused: false, ...expected })
  })

  it('takes Retry-After from refusals only', () => {
    expect(limitNews(429, { 'retry-after': '3' }, now)).toEqual({ refused: true, retryAfterMs: 3_000 })
    expect(limitNews(200, { 'retry-after': '3' }, now)).toEqual({ refused: false })
  })
})

describe('vendorText', () => {
  it.each([
    ['{"error":"RecordInvalid","description":"Subject: cannot be blank"}', 'Subject: cannot be blank: RecordInvalid'],
    ['{"error":{"title":"Forbidden","message":"You do not have access"}}', 'You do not have access: Forbidden'],
    ['{"errors":[{"message":"No such field"}]}', 'No such field'],
    ['{"ok":false}', ''],
    ['{"data":{"reason":"x"}}', 'x'],
    ['[{"message":"First"}]', 'First'],
    ['{broken', '{broken'],
    ['quota\n exceeded', 'quota exceeded'],
    ['<html><body>502</body></html>', ''],
    ['', ''],
  ])('finds the words in %s', (body, expected) => {
    expect(vendorText(undefined, body)).toBe(expected)
  })

  it('is never longer than 200 characters', () => {
    expect(vendorText('text/plain', 'x'.repeat(5_000))).toHaveLength(200)
    expect(vendorText(undefined, JSON.stringify({ message: 'y'.repeat(5_000) }))).toHaveLength(200)
  })
})
