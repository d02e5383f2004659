/** A record's state in words, with the colour and the icon that go with them: colour never speaks alone. */
import { useI18n } from 'vue-i18n'
import type { RecordState } from '@/storage/worklist'

export type Tone = 'draft' | 'waiting' | 'sent' | 'fix' | 'conflict'
export type StateIcon = 'pencil' | 'clock' | 'check' | 'warning' | 'comment'

const LOOKS: Record<RecordState['kind'], { tone: Tone; icon: StateIcon }> = {
  draft: { tone: 'draft', icon: 'pencil' },
  waiting: { tone: 'waiting', icon: 'clock' },
  refused: { tone: 'fix', icon: 'warning' },
  aside: { tone: 'fix', icon: 'warning' },
  held: { tone: 'conflict', icon: 'clock' },
  received: { tone: 'sent', icon: 'check' },
  corrected: { tone: 'sent', icon: 'check' },
  amended: { tone: 'sent', icon: 'check' },
  approved: { tone: 'sent', icon: 'check' },
  returned: { tone: 'fix', icon: 'comment' },
  rejected: { tone: 'fix', icon: 'warning' },
}

export function useState(): (state: RecordState) => { tone: Tone; icon: StateIcon; words: string } {
  const { t } = useI18n()
  return (state) => ({ ...LOOKS[state.kind], words: t(`state.${state.kind}.name`) })
}
