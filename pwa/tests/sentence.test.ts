// @vitest-environment jsdom
/** What went wrong is told as it is where the person stands: a phone keeps records and tries again, a desk does neither. */
import { mount } from '@vue/test-utils'
import { createMemoryHistory, createRouter } from 'vue-router'
import { expect, test } from 'vitest'
import { useSentence } from '@/ui/composables/useSentence'
import { i18n } from '@/locales/i18n'

async function toldAt(path: string, code: string): Promise<string> {
  const Teller = {
    setup: () => {
      const sentence = useSentence()
      return () => sentence(code)
    },
  }
  const router = createRouter({
    history: createMemoryHistory(),
    routes: [
      { path: '/outbox', component: Teller },
      { path: '/signin', component: Teller, meta: { frame: 'bare' } },
      { path: '/desk/review', component: Teller, meta: { frame: 'desk' } },
    ],
  })
  await router.push(path)
  return mount(Teller, { global: { plugins: [i18n, router] } }).text()
}

test.each(['offline', 'timeout', 'server_failed', 'disk_full', 'too_many_requests'])(
  '%s leaves records on the phone, and promises nothing at the desk or the sign-in',
  async (code) => {
    expect(await toldAt('/outbox', code)).toContain('phiếu vẫn ở trên máy')
    for (const path of ['/desk/review', '/signin']) {
      const told = await toldAt(path, code)
      expect(told).not.toMatch(/trên máy|tự (gửi|thử)/u)
      expect(told).toContain('thử lại')
    }
  },
)

test('what does not pass by itself is told alike everywhere', async () => {
  expect(await toldAt('/desk/review', 'account_closed')).toBe(await toldAt('/outbox', 'account_closed'))
})
