/** Search without diacritics: `Điện Biên` is found by `dien bien`. NFD does not take đ apart, so that is said here. */
export function folded(text: string): string {
  return text.normalize('NFD').replace(/\p{M}/gu, '').replace(/[đĐ]/g, 'd').toLowerCase().replace(/\s+/g, ' ').trim()
}

/** Whether every word of the query stands somewhere in the (already folded) text. */
export function matches(foldedText: string, query: string): boolean {
  return folded(query)
    .split(' ')
    .every((word) => foldedText.includes(word))
}
