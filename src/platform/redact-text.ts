/** Secrets shorter than this would blacken ordinary words. */
const minSecretLength = 6

/** Replaces every secret in a text, also where it was encoded for a URL or for JSON. */
export function redactor(secrets: readonly string[]): (text: string) => string {
  const hidden = [
    ...new Set(secrets.flatMap((secret) => [secret, encodeURIComponent(secret), JSON.stringify(secret).slice(1, -1)])),
  ]
    .filter((secret) => secret.length >= minSecretLength)
    .sort((a, b) => b.length - a.length)
  return (text) => hidden.reduce((clean, secret) => clean.replaceAll(secret, '[secret]'), text)
}
