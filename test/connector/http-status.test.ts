import { describe, expect, it } from 'vitest'
import { codeOfStatus, errorOfAnswer, parseRetryAfter } from '#hub/connector/http-status.ts'

const now = new Date('2026-11-20T10:15:30Z')

describe('HTTP statuses', () => {
  it.each([
    [200, undefined],
    [204, undefined],
    [301, 'rejected'],
    [400, 'rejected'],
    [401, 'auth_failed'],
    [403, 'auth_failed'],
    [404, 'not_found'],
    [409, 'conflict'],
    [410, 'not_found'],
    [412, 'conflict'],
    [422, 'rejected'],
    [429, 'rate_limited'],
    [500, 'outcome_unknown'],
    [502, 'outcome_unknown'],
    [503, 'unavailable'],
  ])('%i means %s', (status, code) => {
    expect(codeOfStatus(status)).toBe(code)
  })

  it('names the place, the status and how long to wait', () => {
    const headers = new Headers({ 'retry-after': '7' })
    const error = errorOfAnswer({ status: 429, headers }, 'POST https://desk.example/answers', now)
    expect(error).toMatchObject({ code: 'rate_limited', retryAfterMs: 7000 })
    expect(error?.message).toMatch(/^POST https:\/\/desk\.example\/answers answered 429; /)
    expect(errorOfAnswer({ status: 204, headers }, 'GET /', now)).toBeUndefined()
  })

  it.each([
    ['30', 30_000],
    ['0', 0],
    ['1.5', 1500],
    ['Fri, 20 Nov 2026 10:15:40 GMT', 10_000],
    ['Fri, 20 Nov 2026 10:15:20 GMT', 0],
    ['99999999', 86_400_000],
    ['-5', undefined],
    ['soon', undefined],
    ['', undefined],
    [null, undefined],
  ])('reads Retry-After "%s"', (text, ms) => {
    expect(parseRetryAfter(text, now)).toBe(ms)
  })
})
