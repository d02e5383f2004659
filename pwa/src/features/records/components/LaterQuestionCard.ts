/** A question's card, with the words of its form: much to load for those who are asked nothing. */
import { defineAsyncComponent } from 'vue'
import { phoneViews } from '@/features/records/phone-views'

export default defineAsyncComponent(phoneViews.question)
