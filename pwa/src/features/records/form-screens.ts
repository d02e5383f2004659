/** The screens that show forms, filled or being filled: one file to load, with the engine beside it. */
export { default as FillView } from '@/features/capture/views/FillView.vue'
export { default as TrialView } from '@/features/capture/views/TrialView.vue'
export { default as QuestionCard } from './components/QuestionCard.vue'
export { default as RecordView } from './views/RecordView.vue'
