// @vitest-environment jsdom
/** Another server is connected only in ways that this one will take, and the form says why before anything is sent. */
import { mount, type DOMWrapper } from '@vue/test-utils'
import { beforeAll, describe, expect, test } from 'vitest'
import NewPeerForm from '@/features/peers/components/NewPeerForm.vue'
import { isOpenToReaders, takesToken } from '@/features/peers/composables/peer-ways'
import { i18n, loadDeskWords } from '@/locales/i18n'

const COUCHDB = 'http://couchdb:5984'

let mounted: ReturnType<typeof mount<typeof NewPeerForm>> | undefined
beforeAll(loadDeskWords)

const form = (tokenUrl: string | null): DOMWrapper<Element> => {
  mounted = mount(NewPeerForm, { props: { isSending: false, tokenUrl }, global: { plugins: [i18n] } })
  return mounted.find('form')
}

const offered = (wrapper: DOMWrapper<Element>): string[] =>
  wrapper.findAll('[data-testid=peer-auth] option').map((each) => each.attributes('value') ?? '')

async function type(wrapper: DOMWrapper<Element>, values: Record<string, string>): Promise<void> {
  for (const [name, value] of Object.entries(values)) await wrapper.find(`[data-testid=peer-${name}]`).setValue(value)
}

describe('the form for another server', () => {
  test('offers the token at the address of our own CouchDB alone', async () => {
    const wrapper = form(COUCHDB)
    expect(offered(wrapper)).toEqual(['password', 'none'])
    await type(wrapper, { url: `${COUCHDB}/` })
    expect(offered(wrapper)).toEqual(['password', 'token', 'none'])
    await type(wrapper, { auth: 'token', name: 'couchdb', url: 'https://other.example.vn/db' })
    expect(offered(wrapper)).toEqual(['password', 'none'])
    expect((wrapper.find('[data-testid=peer-auth]').element as HTMLSelectElement).value).toBe('password')
  })

  test('offers no token where this server has no CouchDB', async () => {
    const wrapper = form(null)
    await type(wrapper, { url: COUCHDB })
    expect(offered(wrapper)).toEqual(['password', 'none'])
  })

  test('says in words that a password must not go by http, and sends nothing', async () => {
    const wrapper = form(null)
    await type(wrapper, { name: 'tinh', url: 'http://nuong.example.vn/db', username: 'tram', password: 'mat-khau' })
    expect(wrapper.find('[data-testid=peer-readable]').text()).toContain('https')
    await wrapper.trigger('submit')
    expect(mounted?.emitted('add')).toBeUndefined()
    await type(wrapper, { url: 'https://nuong.example.vn/db' })
    expect(wrapper.find('[data-testid=peer-readable]').exists()).toBe(false)
    await wrapper.trigger('submit')
    expect(mounted?.emitted('add')).toHaveLength(1)
  })
})

describe('an address', () => {
  test.each([
    ['https://a.example.vn', false],
    ['http://a.example.vn', true],
    ['http://8.8.8.8:5984', true],
    ['http://[2606:4700::1111]/db', true],
    ['http://couchdb:5984', false],
    ['http://tram.lan/db', false],
    ['http://127.0.0.1:8000/db', false],
    ['http://10.1.2.3', false],
    ['http://172.16.0.9', false],
    ['http://172.32.0.9', true],
    ['http://192.168.1.5/db', false],
    ['http://[::1]:8000', false],
    ['http://[fd00::7]', false],
    ['no address yet', false],
    ['', false],
  ])('%s lets others read a password: %s', (url, is) => {
    expect(isOpenToReaders(url)).toBe(is)
  })

  test('is that of our CouchDB with or without a slash at its end', () => {
    expect(takesToken(' http://couchdb:5984/', COUCHDB)).toBe(true)
    expect(takesToken('http://couchdb:5984/x', COUCHDB)).toBe(false)
  })
})
