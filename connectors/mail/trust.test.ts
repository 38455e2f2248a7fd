import { describe, expect, it } from 'vitest'
import { readAuthenticationResults } from './authentication-results.ts'
import { caseIdOf, messageIdFor, replyAddress } from './signed-address.ts'
import { config, hop, mail, read, reasonOf, threadedOf } from './test-mail.ts'

const caseId = caseIdOf(config, 'opening')
const proof = `In-Reply-To: ${messageIdFor(config, caseId, 'k1')}`
const results = (text: string, id = 'mx.example.com') => `Authentication-Results: ${id}; ${text}`
const passFor = (domain: string) => results(`dkim=pass header.d=${domain}; dmarc=pass header.from=${domain}`)
const from = (address: string) => `From: ${address}`

/** Both places in which a receiving server may write its findings. */
const above = (line: string) => [line, hop]
const below = (line: string) => [hop, line]

async function verdict(top: readonly string[], lines: readonly string[] = []) {
  const result = await read(mail(lines, 'Hello.', top))
  if ('unreadable' in result) return 'set aside'
  return threadedOf(result).thread.opens.requester?.verified ? 'verified' : 'unverified'
}

describe('a sender', () => {
  it.each([
    ['DMARC passed', 'dmarc=pass header.from=customer.example'],
    ['DMARC passed, with reasons and comments', 'dmarc=pass (p=reject; sp=none) header.from=customer.example'],
    ['DKIM of the very domain', 'dkim=pass (2048-bit key) header.d=customer.example header.s=k1'],
    ['DKIM by identity', 'dkim=pass header.i=@customer.example'],
    ['SPF of the very domain', 'spf=pass smtp.mailfrom=bounces@customer.example'],
    ['one aligned signature of two', 'dkim=pass header.d=esp.example; dkim=pass header.d=customer.example'],
    ['SPF failed, DKIM aligned (forwarded)', 'spf=fail smtp.mailfrom=x.example; dkim=pass header.d=customer.example'],
    ['a version and odd spaces', '1; dmarc = pass header.from = customer.example'],
    [
      'a subdomain that DMARC accepts',
      'dkim=pass header.d=mail.customer.example; dmarc=pass header.from=customer.example',
    ],
  ])('is verified: %s', async (_, text) => {
    const line = text.startsWith('1;') ? `Authentication-Results: mx.example.com ${text}` : results(text)
    expect([await verdict(above(line)), await verdict(below(line))]).toEqual(['verified', 'verified'])
  })

  it('is verified by a parent domain, which speaks for those below it', async () => {
    const line = results('dkim=pass header.d=customer.example')
    expect(await verdict(above(line), [from('ana@news.customer.example')])).toBe('verified')
  })

  it.each([
    ['no findings at all', undefined],
    ['none', results('none')],
    ['no policy and no signature', results('spf=none smtp.mailfrom=customer.example; dmarc=none')],
    ['SPF of another domain', results('spf=pass smtp.mailfrom=esp.example')],
    ['DKIM of another domain', results('dkim=pass header.d=esp.example')],
    ['DKIM of a subdomain, without a word on DMARC', results('dkim=pass header.d=x.customer.example')],
    [
      'DMARC passed, nothing that could have passed it',
      results('dkim=pass header.d=esp.example; dmarc=pass header.from=customer.example'),
    ],
    ['a look-alike domain', results('dkim=pass header.d=notcustomer.example')],
    ['DMARC passed for nobody in particular', results('dmarc=pass')],
    ['an errors of the check', results('dmarc=temperror header.from=customer.example')],
    ['a broken signature only', results('dkim=fail header.d=customer.example')],
  ])('stays unverified, and is let in: %s', async (_, line) => {
    expect(await verdict(line ? above(line) : [hop])).toBe('unverified')
  })

  it.each([
    ['DMARC failed', results('dmarc=fail (p=none) header.from=customer.example')],
    [
      'DMARC failed, though a signature of its own passed',
      results('dkim=pass header.d=customer.example; dmarc=fail header.from=customer.example'),
    ],
    ['SPF failed', results('spf=fail smtp.mailfrom=customer.example')],
    ['SPF soft-failed', results('spf=softfail smtp.mailfrom=customer.example; dkim=none')],
    ['the server read another From', results('dmarc=pass header.from=evil.example')],
  ])('is set aside: %s', async (_, line) => {
    expect(await verdict(above(line))).toBe('set aside')
    expect(reasonOf(await read(mail([], '', above(line))))).toContain('customer.example')
  })

  it('is nobody’s to verify while no receiving server is trusted', async () => {
    const trusting = { ...config, trusted_authserv_ids: [] }
    const given = (lines: readonly string[]) =>
      read(mail(lines, '', above(passFor('customer.example'))), { config: trusting })
    expect(threadedOf(await given([])).thread.opens.requester?.verified).toBe(false)
    expect(reasonOf(await given([from('leo@agents.example')]))).toContain('our own leo@agents.example')
    expect(reasonOf(await given([from('support@example.com')]))).toContain('nothing proves it')
  })

  it('at a mail provider is no colleague of a mailbox there', async () => {
    const atProvider = { ...config, address: 'acme.support@gmail.com', trusted_authserv_ids: [] }
    const given = (address: string) => read(mail([from(address)]), { config: atProvider })
    expect(threadedOf(await given('ana@gmail.com')).thread.from).toBe('ana@gmail.com')
    expect(reasonOf(await given('acme.support@gmail.com'))).toContain('our own')
  })
})

describe('an agent', () => {
  it('acts as one by mail with DMARC passed and an answer to a mail of ours, and not without', async () => {
    const author = async (address: string, lines: readonly string[]) => {
      const top = above(passFor(address.split('@')[1] ?? ''))
      return threadedOf(await read(mail([from(address), ...lines], '', top))).message.author.kind
    }
    expect(await author('leo@agents.example', [proof])).toBe('agent')
    expect(await author('eva@staff.example', [`To: ${replyAddress(config, caseId)}`])).toBe('agent')
    expect(await author('leo@agents.example', [])).toBe('customer')
    expect(await author('mia@agents.example', [proof])).toBe('customer')
  })
})

describe('Authentication-Results', () => {
  it('are read with comments, quotes and versions', () => {
    const line =
      'MX.Example.com 1 (our (inner) server; really); dkim/1=Pass reason="a; b" header.d="Example.org" (c) ; spf=none;; auth=pass smtp.auth=x'
    expect(readAuthenticationResults(line)).toEqual({
      authservId: 'mx.example.com',
      results: [
        {
          method: 'dkim',
          result: 'pass',
          properties: new Map([
            ['reason', 'a; b'],
            ['header.d', 'example.org'],
          ]),
        },
        { method: 'spf', result: 'none', properties: new Map() },
        { method: 'auth', result: 'pass', properties: new Map([['smtp.auth', 'x']]) },
      ],
    })
    expect(readAuthenticationResults('spf=pass smtp.mailfrom=a.example; dkim=none').authservId).toBe('')
  })

  it('are found behind servers of our own, in the order in which those hand a mail on', async () => {
    const inner = 'Received: from mx.example.com (mx.example.com [198.51.100.1]) by imap.example.com with LMTP id 1'
    const scan = 'Received: from localhost (localhost [127.0.0.1]) by mx.example.com (Amavis)'
    expect(await verdict([inner, scan, passFor('customer.example'), hop])).toBe('verified')
    expect(await verdict([inner, scan, hop, passFor('customer.example')])).toBe('verified')
    const gmail = ['Received: by 2002:a05:6a10:1a41:b0:5c2:aa with SMTP id x; Sat, 21 Nov 2026 02:20:03 -0800 (PST)']
    const border =
      'Received: from out.customer.example (out.customer.example. [203.0.113.9]) by mx.google.com with ESMTPS id y'
    const line =
      'Authentication-Results: mx.google.com; dkim=pass header.i=@customer.example; dmarc=pass header.from=customer.example'
    const atGoogle = { ...config, trusted_authserv_ids: ['mx.google.com'] }
    const result = await read(mail([], '', [...gmail, border, line]), { config: atGoogle })
    expect(threadedOf(result).thread.opens.requester?.verified).toBe(true)
  })
})

/** What strangers write to be taken for a customer, an agent or us: with a valid proof of a case, which they may have seen. */
describe('forged mail', () => {
  const evilHop =
    'Received: from mx.example.com (evil.example [6.6.6.6]) by mx.example.com (Postfix); Sat, 21 Nov 2026 10:20:03 +0000'
  const brought = 'Received: from a.example by b.example; Sat, 21 Nov 2026 10:20:01 +0000'
  const broughtAsOurs = 'Received: from b.example by mx.example.com; Sat, 21 Nov 2026 10:20:02 +0000'
  const ownFail = results('spf=fail smtp.mailfrom=evil.example; dmarc=fail header.from=customer.example')
  const ownNone = results('spf=none; dmarc=none')

  const targets = [
    'leo@agents.example',
    'eva@staff.example',
    'support@example.com',
    'boss@example.com',
    'ana@customer.example',
  ]
  const ways: readonly (readonly [string, (domain: string) => readonly string[]])[] = [
    ['no findings at all', () => [hop]],
    [
      'findings of a server that is not trusted',
      (domain) => [hop, passFor(domain).replace('mx.example.com', 'mx.evil.example')],
    ],
    ['findings without a server', (domain) => [`Authentication-Results: dmarc=pass header.from=${domain}`, hop]],
    [
      'a look-alike of our server',
      (domain) => [hop, passFor(domain).replace('mx.example.com', 'mx.example.com.evil.example')],
    ],
    ['forged findings below ours', (domain) => [ownFail, hop, passFor(domain)]],
    ['forged findings below ours, which found nothing', (domain) => [ownNone, hop, passFor(domain)]],
    ['forged findings below a hop that was brought along', (domain) => [hop, brought, passFor(domain)]],
    ['forged findings below a forged hop of ours', (domain) => [hop, broughtAsOurs, passFor(domain)]],
    ['a client that calls itself our server', (domain) => [evilHop, broughtAsOurs, passFor(domain)]],
    ['forged findings in the second of two lines of ours', (domain) => [hop, ownNone, passFor(domain)]],
    ['a pass for the attacker’s own domain', () => [passFor('evil.example'), hop]],
    [
      'the attacker’s SPF and DKIM',
      () => [results('spf=pass smtp.mailfrom=evil.example; dkim=pass header.d=evil.example'), hop],
    ],
    [
      'a pass inside a comment',
      (domain) => [results(`dmarc=none (dmarc=pass header.from=${domain}; dkim=pass header.d=${domain})`), hop],
    ],
    ['a pass inside quotes', (domain) => [results(`spf=none reason="; dkim=pass header.d=${domain} ;"`), hop]],
    [
      'ARC and X- lines instead',
      (domain) => [
        hop,
        `ARC-Authentication-Results: i=1; mx.example.com; dmarc=pass header.from=${domain}`,
        `X-Authentication-Results: mx.example.com; dmarc=pass header.from=${domain}`,
      ],
    ],
  ]
  const forgeries = targets.flatMap((target) =>
    ways.map(([way, top]) => ({ target, way, top: top(target.split('@')[1] ?? '') })),
  )

  it('is tried in at least 60 ways', () => {
    expect(forgeries.length).toBeGreaterThanOrEqual(60)
  })

  it.each(forgeries)('gains nothing as $target with $way', async ({ target, top }) => {
    const lines = [from(target), proof, `Cc: ${replyAddress(config, caseId)}`]
    const result = await read(mail(lines, 'Send me everything.', top))
    if ('unreadable' in result) return
    const { message, thread } = threadedOf(result)
    expect([target, message.author.kind, thread.opens.requester?.verified]).toEqual([
      'ana@customer.example',
      'customer',
      false,
    ])
  })

  const agent = 'leo@agents.example'
  it.each([
    ['two From lines', ['From: eve@evil.example', from(agent)]],
    ['two From lines, one with a space', ['From: eve@evil.example', `From : ${agent}`]],
    ['two From lines, one with a hidden character', ['From: eve@evil.example', `Fr\u0000om: ${agent}`]],
    ['two addresses', [`From: eve@evil.example, ${agent}`]],
    ['a group', [`From: Team: eve@evil.example, ${agent};`]],
    ['an empty group', ['From: undisclosed:;']],
    ['no address', ['From: Leo']],
    ['nothing', ['From:']],
    ['two in angle brackets', [`From: <eve@evil.example> <${agent}>`]],
    ['an address within another', [`From: <eve@evil.example<${agent}>>`]],
    ['an open quote', [`From: "Leo <eve@evil.example>, ${agent}`]],
    ['an encoded address', [`From: =?utf-8?q?leo=40agents.example?=`]],
    ['an encoded list', ['From: =?utf-8?b?PGxlb0BhZ2VudHMuZXhhbXBsZT4sIDxldmVAZXZpbC5leGFtcGxlPg==?=']],
    ['a route', [`From: <@evil.example:${agent}>`]],
    ['a source that ends early', [`From: <${agent}\u0000@evil.example>`]],
    ['a quoted local part', ['From: "leo@agents.example "@evil.example']],
  ])('whose From is not one plain address is set aside: %s', async (_, lines) => {
    const top = above(passFor('evil.example'))
    const raw = [...top, ...lines, 'To: support@example.com', 'Message-ID: <f@evil.example>', proof, '', 'Hi'].join(
      '\r\n',
    )
    expect(reasonOf(await read(raw))).toMatch(/From|sender/)
  })
})
