/** Files of the sandbox: taken in, told of, and given from a signed address, as Zendesk keeps them elsewhere. */
import type { SandboxRoute } from '#hub/connector/sandbox.ts'
import { type Desk, DeskRefusal } from './sandbox-desk.ts'
import { attachmentJson } from './sandbox-json.ts'
import { idOf, json, type Route } from './sandbox-route.ts'

/** Where the signed addresses are; they take no token. */
export const signedPath = '/signed/'

export function fileRoutes({ desk, url }: { readonly desk: Desk; url(): string }, route: Route): SandboxRoute[] {
  const fileOf = (isIt: (file: Desk['files'][number]) => boolean) => {
    const file = desk.files.find(isIt)
    if (!file) throw new DeskRefusal(404, 'RecordNotFound', 'Not found')
    return file
  }
  return [
    ...route('POST', '/uploads', (request) => {
      const name = request.query.get('filename') ?? 'file'
      const type = request.headers['content-type'] ?? 'application/binary'
      const file = desk.addFile(name, type, request.body)
      return json({ upload: { token: file.token, attachment: attachmentJson(file, url()) } }, 201)
    }),
    ...route('GET', '/attachments/:id', (request) => {
      return json({
        attachment: attachmentJson(
          fileOf(({ id }) => id === idOf(request)),
          url(),
        ),
      })
    }),
    {
      method: 'GET',
      path: '/attachments/token/:token/',
      answer: ({ params }) => ({ status: 302, headers: { location: `${url()}${signedPath}${params['token']}` } }),
    },
    {
      method: 'GET',
      path: `${signedPath}:token`,
      answer({ params, headers }) {
        const file = desk.files.find(({ token }) => token === params['token'])
        if (headers['authorization'] !== undefined) return json({ error: 'a credential has no business here' }, 400)
        return file
          ? { status: 200, headers: { 'content-type': file.contentType }, body: file.content }
          : { status: 404 }
      },
    },
  ]
}
