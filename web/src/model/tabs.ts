/** A way for the tabs of this browser to tell each other; a tab does not hear itself. Where there is none, nothing is told. */
export class Tabs<T> {
  private channel: BroadcastChannel | undefined

  constructor(name: string, onTold: (told: T) => void) {
    if (typeof BroadcastChannel === 'undefined') return
    this.channel = new BroadcastChannel(name)
    this.channel.onmessage = ({ data }: MessageEvent<T>) => onTold(data)
  }

  tell(what: T): void {
    this.channel?.postMessage(what)
  }

  /** Nothing is told any more, and nothing heard. */
  close(): void {
    this.channel?.close()
    this.channel = undefined
  }
}
