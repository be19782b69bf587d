import type { Entry } from '../net/frames'
import { forget, onRemembered, recall, remember } from './memory'
import { Store } from './store'

/** What one wants to be told of while one looks elsewhere. Kept in this browser: so is the browser's permission. */
export interface Wishes {
  on: boolean
  /** The rooms of which nothing is told. */
  muted: readonly string[]
}

const KEY = 'gochat-notifications'
const NONE: Wishes = { on: false, muted: [] }
/** What comes after a long absence is not news any more: the counts tell of it. */
const NEWS_MS = 60_000

function read(): Wishes {
  try {
    const { on, muted } = JSON.parse(recall(KEY) ?? '{}') as Partial<Wishes>
    return { on: on === true, muted: Array.isArray(muted) ? muted.filter((id) => typeof id === 'string') : [] }
  } catch {
    return NONE // whatever stands there is not from here
  }
}

export const wishes = new Store<Wishes>(read())
onRemembered(KEY, () => wishes.set(read())) // wished in another tab

function wish(change: Partial<Wishes>): void {
  wishes.update((now) => ({ ...now, ...change }))
  remember(KEY, JSON.stringify(wishes.get()))
}

export const setOn = (on: boolean) => wish({ on })

export function setMuted(roomId: string, muted: boolean): void {
  const others = wishes.get().muted.filter((id) => id !== roomId)
  wish({ muted: muted ? [...others, roomId] : others })
}

/** At logout: the next one who logs in here has other rooms. */
export function forgetWishes(): void {
  wishes.set(NONE)
  forget(KEY)
}

/** Whether an entry of a room is worth a word outside of the page. */
export function isNews(entry: Entry, me: string, { on, muted }: Wishes, now: number): boolean {
  return on && entry.kind === 'text' && entry.sender_id !== me && !muted.includes(entry.room_id) && now - Date.parse(entry.at) < NEWS_MS
}
