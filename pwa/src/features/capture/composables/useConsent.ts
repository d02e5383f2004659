/** Whether a person lets a form record places or sound by itself: asked once on this phone for each form, and changed at any time. */
import { ref, type Ref } from 'vue'
import { getSetting, putSetting } from '@/storage/settings'

export type ConsentState = 'unasked' | 'agreed' | 'declined'

export type Consent = {
  readonly state: Ref<ConsentState>
  /** What was said of this form before; whoever asks for the first time has said nothing. */
  recall(person: string, form: string): Promise<void>
  say(isAgreed: boolean): Promise<void>
}

export function useConsent(what: 'places' | 'sound'): Consent {
  const state = ref<ConsentState>('unasked')
  let key = ''

  return {
    state,
    async recall(person, form) {
      key = `consent:${what}:${person}:${form}`
      state.value = await getSetting<ConsentState>(key, 'unasked')
    },
    async say(isAgreed) {
      state.value = isAgreed ? 'agreed' : 'declined'
      // A full phone asks again the next time.
      await putSetting(key, state.value).catch(() => undefined)
    },
  }
}
