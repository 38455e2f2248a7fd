/** One spelling per phone number: E.164. */
import type { CountryCode } from 'libphonenumber-js/min'

/** @returns E.164, or undefined for what cannot be one person's number. */
export type ReadPhone = (text: string, country: string | undefined) => string | undefined

let reader: Promise<ReadPhone> | undefined

/** The library's tables are loaded when the first phone number comes. */
export function phoneReader(): Promise<ReadPhone> {
  reader ??= loadReader()
  return reader
}

async function loadReader(): Promise<ReadPhone> {
  const { isSupportedCountry, parsePhoneNumberFromString } = await import('libphonenumber-js/min')
  const supported = (country: string | undefined): CountryCode | undefined =>
    country !== undefined && isSupportedCountry(country) ? country : undefined
  return (text, country) => {
    const region = supported(country)
    const phone = parsePhoneNumberFromString(
      text,
      region ? { defaultCountry: region, extract: false } : { extract: false },
    )
    // Behind one number with an extension sits a whole office.
    if (!phone || phone.ext !== undefined || !phone.isValid()) return undefined
    return isPlaceholder(phone.nationalNumber) ? undefined : phone.number
  }
}

/** What people type into a required field: 999999999. */
function isPlaceholder(national: string): boolean {
  return /^(\d)\1+$/.test(national)
}

/** `es-ES` → `ES`; undefined where the locale names no country. */
export function countryOf(locale: string | undefined): string | undefined {
  return locale
    ?.split(/[-_]/)
    .find((part, index) => index > 0 && /^[A-Za-z]{2}$/.test(part))
    ?.toUpperCase()
}
