/** A person's own mail program: writes over SMTP, reads what is in the mailbox, and has an out-of-office reply. */
import type { ParsedMail } from 'mailparser'
import { createTransport } from 'nodemailer'
import type { MailSandbox, SandboxUser } from '../../connectors/mail/sandbox.ts'

export interface MailProgram {
  write(mail: { readonly to: string; readonly subject: string; readonly text: string }): Promise<void>
  replyTo(mail: ParsedMail, text: string): Promise<void>
  /** What a server sends by itself while its user is away. */
  outOfOffice(mail: ParsedMail): Promise<void>
  inbox(): Promise<readonly ParsedMail[]>
}

export function createMailProgram(server: MailSandbox, name: string, user: SandboxUser): MailProgram {
  const { host, port } = server.smtp
  const from = { name, address: user.address }
  async function send(mail: object): Promise<void> {
    const transport = createTransport({ host, port, auth: { user: user.address, pass: user.password } })
    try {
      await transport.sendMail({ from, ...mail })
    } finally {
      transport.close()
    }
  }
  const answerTo = (mail: ParsedMail) => ({
    to: mail.replyTo?.text ?? mail.from?.text ?? '',
    subject: `Re: ${mail.subject?.replace(/^Re: /i, '') ?? ''}`,
    ...(mail.messageId ? { inReplyTo: mail.messageId } : {}),
    references: [...[mail.references ?? []].flat(), ...(mail.messageId ? [mail.messageId] : [])],
  })
  return {
    write: send,
    replyTo: (mail, text) => send({ ...answerTo(mail), text }),
    outOfOffice: (mail) =>
      send({
        ...answerTo(mail),
        subject: `Out of office: ${mail.subject ?? ''}`,
        text: 'I am away until Monday.',
        headers: { 'Auto-Submitted': 'auto-replied' },
      }),
    inbox: () => Promise.all(server.mailbox(user.address).map((mail) => mail.parsed())),
  }
}
