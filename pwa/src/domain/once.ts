/** Whether the whole of a calculation is one `once(…)`: computed at first and kept from then on. */
export function isOnce(expression: string): boolean {
  // A bracket in a text is no bracket.
  const text = expression.replace(/'[^']*'|"[^"]*"/gu, '').trim()
  if (!/^once\s*\(/u.test(text)) return false
  let depth = 0
  for (let position = 0; position < text.length; position += 1) {
    const character = text.charAt(position)
    depth += character === '(' ? 1 : character === ')' ? -1 : 0
    if (depth === 0 && character === ')') return position === text.length - 1
  }
  return false
}
