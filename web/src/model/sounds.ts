import type { Entry } from '../net/frames'
import { forget, onRemembered, recall, remember } from './memory'
import { type Wishes, isNews } from './notifications'
import { Store } from './store'

const KEY = 'gochat-sounds'
const QUIET_MS = 2_000

/** Whether one wants to hear of messages while one looks elsewhere. Kept in this browser: another may stand in a quiet place. */
export const sounds = new Store<boolean>(recall(KEY) === 'on')
onRemembered(KEY, () => sounds.set(recall(KEY) === 'on')) // wished in another tab

export function setSounds(on: boolean): void {
  sounds.set(on)
  if (on) remember(KEY, 'on')
  else forget(KEY)
}

/** Whether an entry is worth a sound: whenever it is worth a notice, or would be if notices were asked for. */
export function isHeard(entry: Entry, me: string, wishes: Wishes, now: number): boolean {
  return isNews(entry, me, { ...wishes, on: true }, now)
}

/** What of the browser's locks is needed here. */
export type Locks = Pick<LockManager, 'request'>

/** Plays in one tab of the browser, and not again in any of them for two seconds. */
export class InTurn {
  private readonly locks: Locks | undefined
  private quietUntil = 0

  /** @param locks undefined where the browser has none (a page that is not from https): then each tab is for itself */
  constructor(locks: Locks | undefined) {
    this.locks = locks
  }

  async play(sound: () => Promise<void>): Promise<void> {
    if (this.locks === undefined) {
      if (Date.now() < this.quietUntil) return
      this.quietUntil = Date.now() + QUIET_MS
      await sound()
      return
    }
    await this.locks.request('gochat-sound', { ifAvailable: true }, async (lock) => {
      if (lock === null) return
      await Promise.all([sound(), new Promise((over) => setTimeout(over, QUIET_MS))])
    })
  }
}
