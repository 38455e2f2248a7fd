import { z } from 'zod'
import { chatSettings } from '#hub/connector/chat.ts'

const secret = z.string().trim().min(1).meta({ secret: true })

export const config = z
  .strictObject({
    /** Of the app: proves that a request comes from Slack. */
    signing_secret: z
      .string()
      .trim()
      .min(24, 'the app’s Signing Secret, from Basic Information')
      .meta({ secret: true, description: 'the app’s Signing Secret, from Basic Information' })
      .optional(),
    /** Of the app: with them administrators of any workspace can install it by a link. */
    client_id: z
      .string()
      .regex(/^\d{1,30}\.\d{1,30}$/, 'the app’s Client ID, such as 123.456')
      .optional(),
    client_secret: secret.optional(),
    /** Of one workspace, in place of an installation by link. */
    bot_token: secret
      .refine((token) => !token.startsWith('xoxe'), {
        abort: true,
        error:
          'this token runs out after twelve hours, as the app rotates its tokens; leave bot_token out, give client_id and client_secret, and install the app by its install link',
      })
      .regex(/^xoxb-/, 'a Bot User OAuth Token, which begins with xoxb-')
      .optional(),
    /** With it the hub opens the line itself (Socket Mode), for hubs that Slack cannot reach. */
    app_token: secret.regex(/^xapp-/, 'an app-level token with connections:write, which begins with xapp-').optional(),
    /** Requests for other apps are passed over. */
    app_id: z
      .string()
      .regex(/^A[A-Z0-9]{2,20}$/, 'the App ID, such as A0123456')
      .optional(),
    ...chatSettings,
    /** Only for sandboxes and proxies; the host must be one the hub may call. */
    api_base: z
      .url({ protocol: /^https?$/ })
      .transform((url) => url.replace(/\/+$/, ''))
      .optional(),
  })
  .refine(({ bot_token, client_id, client_secret }) => bot_token || (client_id && client_secret), {
    path: ['bot_token'],
    message: 'give bot_token for one workspace, or client_id and client_secret so that it can be installed by a link',
  })
  .refine(({ signing_secret, app_token }) => signing_secret || app_token, {
    path: ['signing_secret'],
    message: 'give the app’s signing_secret, or app_token for Socket Mode',
  })

export type SlackConfig = z.output<typeof config>

/** With a slash at the end, as the SDK wants it. */
export function apiUrl({ api_base: base = 'https://slack.com' }: Pick<SlackConfig, 'api_base'>): string {
  return `${base}/api/`
}
