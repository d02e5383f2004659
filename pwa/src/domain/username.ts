/** Names of people as they sign in: what a keyboard makes of one name is one name. */

/** A username as servers compare and keep it: NFC, without case, without blanks around it. */
export function foldedUsername(typed: string): string {
  return Array.from(typed.normalize('NFC').trim(), withoutCase).join('')
}

/** By way of upper case, as `ß` and `ς` have several forms in lower case; `ı` would become an `i`, which is another letter. */
function withoutCase(letter: string): string {
  return letter === 'ı' ? letter : letter.toLowerCase().toUpperCase().toLowerCase()
}
