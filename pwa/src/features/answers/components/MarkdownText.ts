/**
 * A form's label with its emphasis, lists and links, built as elements and never from HTML.
 *
 * Everything is phrasing content, so that it may stand inside a `label` or `legend`. The author's colours and fonts are left out: they
 * would break contrast in full sun. HTML that the engine doesn't know is shown as the text between its tags.
 */
import type { MarkdownNode, TextRange, TextRole } from '@getodk/xforms-engine'
import { h, type FunctionalComponent, type VNodeChild } from 'vue'

const ROLES: Readonly<Record<string, string>> = { ul: 'list', ol: 'list', li: 'listitem' }
const INLINE = new Set(['strong', 'em', 'u'])

function rendered(node: MarkdownNode): VNodeChild {
  switch (node.role) {
    case 'child':
      return node.value
    case 'line-break':
      return h('br')
    case 'html':
      return node.unsafeHtml.replace(/<[^>]*>/gu, '')
    case 'parent': {
      const children = node.children.map(rendered)
      if (INLINE.has(node.elementName)) return h(node.elementName, children)
      if (node.elementName === 'a') return link(node, children)
      if (node.elementName === 'span') return h('span', children)
      const role = ROLES[node.elementName]
      return h('span', { class: `markdown-${node.elementName}`, ...(role !== undefined && { role }) }, children)
    }
  }
}

function link(node: MarkdownNode, children: VNodeChild[]): VNodeChild {
  const url = 'url' in node && typeof node.url === 'string' ? node.url : ''
  // Anything but a web address (`javascript:`, `data:`) is shown as text.
  return /^https?:\/\//iu.test(url)
    ? h('a', { href: url, target: '_blank', rel: 'noopener noreferrer' }, children)
    : h('span', children)
}

export const MarkdownText: FunctionalComponent<{ text: TextRange<TextRole> }> = ({ text }) => {
  const raw = text.asString.trim()
  // "2. Họ và tên" is a numbered question and no list of one item, which would be shown as "1.".
  if (/^\d+[.)]\s/u.test(raw) && !raw.includes('\n'))
    return h('span', { class: 'markdown' }, raw.replace(/\*\*|__/gu, ''))
  return h('span', { class: 'markdown' }, text.formatted.map(rendered))
}
MarkdownText.props = ['text']
