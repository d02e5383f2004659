/** The platform's recorder: it gives a piece when the test says that a second has passed. */
export class Microphone extends EventTarget {
  static latest: Microphone | null = null
  static isTypeSupported = (): boolean => true
  state: 'inactive' | 'recording' = 'inactive'
  readonly mimeType = 'audio/webm;codecs=opus'
  constructor() {
    super()
    Microphone.latest = this
  }
  start(): void {
    this.state = 'recording'
  }
  second(said: string): void {
    this.dispatchEvent(Object.assign(new Event('dataavailable'), { data: new Blob([said]) }))
  }
  stop(): void {
    this.state = 'inactive'
    this.dispatchEvent(new Event('stop'))
  }
}
