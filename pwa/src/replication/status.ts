/**
 * What sending is doing at this moment, told to every tab (the elected one works, all of them show it). Nothing depends
 * on it: what has happened stands in the store.
 */
export type SendingStatus =
  | { phase: 'idle' }
  | { phase: 'records'; sent: number; received: number; waiting: number }
  | { phase: 'forms'; done: number; all: number }
  | { phase: 'files'; done: number; all: number; bytes: number; ofBytes: number }
  | { phase: 'failed'; code: string; params: Record<string, unknown>; retryInSeconds: number | null }

type Listener = (status: SendingStatus) => void

export class StatusChannel {
  private readonly listeners = new Set<Listener>()
  private readonly channel = typeof BroadcastChannel === 'undefined' ? null : new BroadcastChannel('nuong-status')
  private last: SendingStatus = { phase: 'idle' }

  constructor() {
    this.channel?.addEventListener('message', (event: MessageEvent<SendingStatus>) => this.heard(event.data))
  }

  get current(): SendingStatus {
    return this.last
  }

  tell(status: SendingStatus): void {
    this.heard(status)
    this.channel?.postMessage(status)
  }

  listen(listener: Listener): () => void {
    this.listeners.add(listener)
    return () => this.listeners.delete(listener)
  }

  close(): void {
    this.channel?.close()
  }

  private heard(status: SendingStatus): void {
    this.last = status
    for (const listener of this.listeners) listener(status)
  }
}
