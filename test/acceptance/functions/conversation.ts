/** What is said in a case's thread, and what of it a customer sees. */
import { expect } from 'vitest'
import { acts } from '#hub/workbench/index.ts'
import type { ChatFunction } from '../chat-function.ts'

export const conversation = [
  {
    id: 'note',
    title: { en: 'A line in the thread is an internal note', es: 'Una línea en el hilo es una nota interna' },
    async run({ arrive, world, until, quiet, zendesk }) {
      const one = await arrive('Noted down')
      await world.writeTwice('leo', { thread: one.card() }, 'She is right, refund it')
      const comment = await until('the note', () => one.comment('She is right, refund it'))
      expect(comment.isPublic).toBe(false)
      expect(zendesk.desk.users.get(comment.authorId)?.name).toBe(world.who('leo').name)
      await world.write('leo', 'cases', 'Lunch, anybody?')
      await quiet()
      expect(one.ticket().comments).toHaveLength(2)
      // Nobody is told twice: what was written there stands there once.
      expect(world.thread('eva', one.card()).filter(({ text }) => text.includes('refund it'))).toHaveLength(1)
    },
  },
  {
    id: 'note-form',
    title: { en: 'An internal note by button', es: 'Una nota interna con un botón' },
    async run({ arrive, world, until, shows }) {
      const one = await arrive('Noted by button')
      await shows('leo', 'Only your team sees it.', () => world.press('leo', one.card(), acts.noteForm))
      await world.submit('leo', { text: 'Called her, no answer' })
      expect((await until('the note', () => one.comment('Called her'))).isPublic).toBe(false)
      await until('it in the thread', () =>
        world.thread('eva', one.card()).some(({ text }) => text.includes('Called her') && text.includes('Internal')),
      )
    },
  },
  {
    id: 'edits',
    title: {
      en: 'Edited and deleted lines follow to the note',
      es: 'Las líneas editadas o borradas llegan a la nota',
    },
    async run({ arrive, world, until }) {
      const one = await arrive('Edited')
      const line = await world.write('leo', { thread: one.card() }, 'Refund 10 euros')
      await until('the note', () => one.comment('Refund 10 euros'))
      await world.edit(line, 'Refund 100 euros')
      const correction = await until('the correction', () => one.comment('Refund 100 euros'))
      expect(correction.isPublic).toBe(false)
      await world.remove(line)
      await until('word of the deletion', () => one.ticket().comments.length >= 4)
      expect(
        one
          .ticket()
          .comments.slice(1)
          .every(({ isPublic }) => !isPublic),
      ).toBe(true)
    },
  },
  {
    id: 'files-to-desk',
    title: { en: 'Files from the thread go to the desk', es: 'Los archivos del hilo llegan a la mesa de ayuda' },
    async run({ arrive, world, until }) {
      const one = await arrive('Filed')
      await world.write('leo', { thread: one.card() }, 'The log', [{ name: 'router.log', content: 'link down' }])
      const { files, isPublic } = await until('the note with its file', () => {
        const comment = one.comment('The log')
        return comment && comment.files.length > 0 && comment
      })
      expect(files.map(({ name, content }) => [name, content.toString()])).toEqual([['router.log', 'link down']])
      expect(isPublic).toBe(false)
    },
  },
  {
    id: 'files-from-desk',
    title: {
      en: 'Files from the desk can be opened in the thread',
      es: 'Los archivos de la mesa de ayuda se pueden abrir en el hilo',
    },
    async run({ arrive, world, until, zendesk }) {
      const one = await arrive('Scanned')
      const scan = zendesk.desk.addFile('scan.txt', 'text/plain', Buffer.from('a scan'))
      const comment = { body: 'My invoice', isPublic: true, authorId: one.ticket().requesterId, uploads: [scan.token] }
      await zendesk.agentChanges(one.ticketId, { comment })
      const [file] = await until('the file in the thread', () => {
        const files = world.filesIn(one.card())
        return files.length > 0 && files
      })
      expect(file).toEqual({ name: 'scan.txt', content: 'a scan' })
    },
  },
  {
    id: 'reply',
    title: {
      en: 'A public reply by button, after a preview',
      es: 'Una respuesta pública con un botón, tras una vista previa',
    },
    async run({ arrive, world, until, shows, quiet, zendesk }) {
      const one = await arrive('Replied', { from: 'ana.replied@customer.example' })
      const form = await shows('leo', 'Reply to customer', () => world.press('leo', one.card(), acts.replyForm))
      expect(form.text).toContain('The customer will read this.')
      await world.submit('leo', { text: 'You are wrong.' })
      const tooHarsh = await until('the first preview', () => {
        const dialog = world.dialog('leo')
        return dialog?.text.includes('You are wrong.') && dialog
      })
      await world.press('leo', tooHarsh, acts.editReply)
      await until('the form again', () => world.dialog('leo')?.text.includes('The customer will read this.'))
      await world.submit('leo', { text: 'You are right, we refund it.' })
      const preview = await until('the preview', () => {
        const dialog = world.dialog('leo')
        return dialog?.text.includes('This is exactly what the customer will see:') && dialog
      })
      expect(preview.text).toContain('You are right, we refund it.')
      expect(preview.text).toContain('ana.replied@customer.example')
      expect(preview.text).toContain('Zendesk')
      expect(preview.text).toContain(world.who('leo').name)
      await quiet()
      expect(one.comment('You are right')).toBeUndefined()
      await world.submit('leo', {})
      const comment = await until('the reply', () => one.comment('You are right, we refund it.'))
      expect(comment.isPublic).toBe(true)
      expect(zendesk.desk.users.get(comment.authorId)?.name).toBe(world.who('leo').name)
      await until('it in the thread', () =>
        world.thread('eva', one.card()).some(({ text }) => /Visible to the customer.*we refund it/s.test(text)),
      )
    },
  },
  {
    id: 'reply-from-message',
    title: {
      en: 'A public reply from a message’s menu, after a preview',
      es: 'Una respuesta pública desde el menú de un mensaje, tras una vista previa',
    },
    async run({ arrive, world, until, shows }) {
      const one = await arrive('Forwarded')
      const line = await world.write('eva', { thread: one.card() }, 'It ships tomorrow.')
      await until('the note', () => one.comment('It ships tomorrow.'))
      const preview = await shows('leo', 'Send this reply?', () => world.shortcut('leo', line, 'public_reply'))
      expect(preview.text).toContain('It ships tomorrow.')
      await world.submit('leo', {})
      await until('the reply', () =>
        one.ticket().comments.some(({ body, isPublic }) => isPublic && body === 'It ships tomorrow.'),
      )
    },
  },
  {
    id: 'own-messages',
    title: {
      en: 'Messages of the app and of other bots are no notes',
      es: 'Los mensajes de la aplicación y de otros bots no son notas',
    },
    async run({ arrive, world, zendesk, until, quiet }) {
      const one = await arrive('Echoing')
      await zendesk.agentReplies(one.ticketId, 'Hello from the desk')
      await until('it in the thread', () => world.thread('leo', one.card()).length === 2)
      await world.botWrites({ thread: one.card() }, 'Beep, I am a bot')
      await quiet()
      expect(one.ticket().comments.map(({ body }) => body)).toEqual(['About Echoing', 'Hello from the desk'])
      expect(world.thread('leo', one.card()).filter(({ text }) => text.includes('Hello'))).toHaveLength(1)
    },
  },
] as const satisfies readonly ChatFunction[]
