/**
 * Whether a setting holds what the vendor signs its webhooks with, for vendors that make that secret themselves: entered
 * there, it takes the place of a secret of the hub's.
 */
export function isSigningSecret(setting: string): boolean {
  return setting === 'webhook_secret' || setting === 'signing_secret'
}
