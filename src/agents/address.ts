/**
 * Whether a place in a chat tool is a person, named by an agent's address. A channel's id may hold an @ too, and then a colon,
 * which addresses do not have; a template is neither yet.
 */
export function isAddress(place: string): boolean {
  return /^[^\s@:{}]+@[^\s@:{}]+\.[^\s@:{}]+$/.test(place)
}
