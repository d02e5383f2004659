/** A question's card, with the words of its form: much to load for those who are asked nothing. */
import { defineAsyncComponent } from 'vue'
import { loadFormWords } from '@/locales/i18n'

export default defineAsyncComponent(async () => {
  const [card] = await Promise.all([import('./QuestionCard.vue'), loadFormWords()])
  return card
})
