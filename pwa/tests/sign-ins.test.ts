// @vitest-environment jsdom
/** A person sees where they are signed in, and ends one or all the others; what fails is said. */
import './fill/browser'
import { flushPromises, mount, type VueWrapper } from '@vue/test-utils'
import { createPinia, setActivePinia } from 'pinia'
import { beforeEach, expect, test, vi } from 'vitest'
import { Problem } from '@/api/problem'
import type { SignIn } from '@/features/account/api/sign-ins'
import SignInList from '@/features/account/components/SignInList.vue'
import { i18n } from '@/locales/i18n'
import { useConnection } from '@/stores/connection'
import { useSession } from '@/stores/session'

const AT = '2026-11-22T08:00:00Z'
const HERE: SignIn = { id: 'h', label: 'Máy của Hoa', is_device: true, began_at: AT, used_at: AT, is_this: true }
const LOST: SignIn = { ...HERE, id: 'l', label: 'Máy mất', is_this: false }
const OLD: SignIn = { id: 'o', label: '', is_device: false, began_at: null, used_at: null, is_this: false }

let standing: SignIn[]
let sent: string[]
let failing: Problem | null

beforeEach(() => {
  // jsdom has dialogs without their methods.
  HTMLDialogElement.prototype.showModal = () => undefined
  HTMLDialogElement.prototype.close = () => undefined
  setActivePinia(createPinia())
  standing = [HERE, LOST, OLD]
  sent = []
  failing = null
})

async function shown(): Promise<VueWrapper> {
  vi.spyOn(useSession().api, 'json').mockImplementation((path, request = {}) => {
    if (failing !== null) return Promise.reject(failing)
    if (request.method !== 'DELETE') return Promise.resolve({ sessions: standing })
    sent.push(path)
    const id = path.split('/')[4]
    if (id !== undefined && !standing.some((each) => each.id === id)) return Promise.reject(new Problem('not_found'))
    standing = standing.filter((each) => each.is_this || (id !== undefined && each.id !== id))
    return Promise.resolve(undefined)
  })
  const wrapper = mount(SignInList, { attachTo: document.body, global: { plugins: [i18n] } })
  await flushPromises()
  return wrapper
}

async function confirm(wrapper: VueWrapper, isYes: boolean): Promise<void> {
  const dialog: VueWrapper = wrapper.findComponent({ name: 'ConfirmDialog' })
  dialog.vm.$emit('answer', isYes)
  await flushPromises()
}

test('this one is marked and has no way to end it, the others have', async () => {
  const wrapper = await shown()
  const rows = wrapper.findAll('li')
  expect(rows.map((row) => row.find('[data-testid=sign-in-this]').exists())).toEqual([true, false, false])
  expect(rows.map((row) => row.find('button').exists())).toEqual([false, true, true])
  expect(rows[2]?.text()).toContain('Trình duyệt hay phần mềm khác')
  expect(rows[2]?.text()).toContain('không rõ')
})

test('one is ended only after a yes, and is gone', async () => {
  const wrapper = await shown()
  await wrapper.find('[data-testid=end-l]').trigger('click')
  await confirm(wrapper, false)
  expect(sent).toEqual([])
  await wrapper.find('[data-testid=end-l]').trigger('click')
  await confirm(wrapper, true)
  expect(sent).toEqual(['/api/me/sessions/l'])
  expect(wrapper.findAll('li')).toHaveLength(2)
})

test('all others are ended at once, and this one is said to be alone', async () => {
  const wrapper = await shown()
  await wrapper.find('[data-testid=end-others]').trigger('click')
  await confirm(wrapper, true)
  expect(sent).toEqual(['/api/me/sessions'])
  expect(wrapper.findAll('li')).toHaveLength(1)
  expect(wrapper.text()).toContain('Chỉ có máy này đang đăng nhập.')
})

test('one that has ended meanwhile is no trouble', async () => {
  const wrapper = await shown()
  standing = [HERE, OLD]
  await wrapper.find('[data-testid=end-l]').trigger('click')
  await confirm(wrapper, true)
  expect(wrapper.find('[role=alert]').exists()).toBe(false)
  expect(wrapper.findAll('li')).toHaveLength(2)
})

test('without a network there is nothing wrong, and the list comes with the network', async () => {
  failing = new Problem('offline')
  const wrapper = await shown()
  expect(wrapper.find('[role=alert]').exists()).toBe(false)
  expect(wrapper.find('[role=status]').text()).toContain('Đang không có mạng.')
  failing = null
  const connection = useConnection()
  connection.isOnline = false
  await flushPromises()
  connection.isOnline = true
  await flushPromises()
  expect(wrapper.findAll('li')).toHaveLength(3)
})

test('what fails is said, and can be tried again', async () => {
  failing = new Problem('server_failed', 500)
  const wrapper = await shown()
  expect(wrapper.find('[role=alert]').exists()).toBe(true)
  failing = null
  await wrapper.find('[data-testid=sign-ins-again]').trigger('click')
  await flushPromises()
  expect(wrapper.find('[role=alert]').exists()).toBe(false)
  expect(wrapper.findAll('li')).toHaveLength(3)
})

test('after one has ended the focus is at the heading of the list', async () => {
  const wrapper = await shown()
  await wrapper.find('[data-testid=end-l]').trigger('click')
  await confirm(wrapper, true)
  expect(document.activeElement).toBe(wrapper.find('h2').element)
})
