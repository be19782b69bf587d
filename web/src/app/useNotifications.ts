import { useEffect, useEffectEvent } from 'react'
import { useChat } from '../model/hooks'
import { isNews, wishes } from '../model/notifications'
import { Onlookers } from '../model/onlookers'
import { InTurn, type Locks, isHeard, sounds } from '../model/sounds'
import type { Entry } from '../model/timeline'
import { mayRing, ring } from '../ui/ring'
import { Notices } from './notices'

const turn = new InTurn((navigator as { locks?: Locks }).locks)
const mayShow = () => 'Notification' in globalThis && Notification.permission === 'granted'

/** Tells of messages outside of the page, and by a sound, while nobody looks at it, nor at another tab of it. A click leads to the room. */
export function useNotifications(enter: (roomId: string) => void): void {
  const chat = useChat()
  const onEnter = useEffectEvent(enter)
  useEffect(() => {
    const { replica, people } = chat
    const onlookers = new Onlookers(() => document.hasFocus())
    const notices = new Notices()
    const weigh = async (entry: Entry) => {
      const [me, wished, now] = [replica.me.get().id, wishes.get(), replica.now()]
      const isShown = mayShow() && isNews(entry, me, wished, now)
      const rings = sounds.get() && mayRing() && isHeard(entry, me, wished, now)
      if (document.hasFocus() || !(isShown || rings)) return
      if ((await onlookers.elsewhere()) || document.hasFocus()) return
      const room = replica.room(entry.room_id)
      if (room === undefined || room.get().room.last_read_seq >= entry.seq) return
      if (rings) void turn.play(ring)
      if (!isShown) return
      const sender = people.users.get().get(entry.sender_id)?.display_name ?? 'Somebody'
      notices.show(room, entry, sender, () => onEnter(entry.room_id))
    }
    const unwatch = replica.newest.subscribe(() => {
      const entry = replica.newest.get()
      if (entry !== undefined) void weigh(entry)
    })
    const onFocus = () => notices.takeAllBack()
    addEventListener('focus', onFocus)
    return () => {
      unwatch()
      removeEventListener('focus', onFocus)
      notices.unwatch()
      onlookers.close()
    }
  }, [chat])
  useEffect(() => {
    if (!('serviceWorker' in navigator)) return
    // A notification that the worker showed was clicked (sw.ts).
    const onMessage = ({ data }: MessageEvent<{ room: string }>) => onEnter(data.room)
    navigator.serviceWorker.addEventListener('message', onMessage)
    return () => navigator.serviceWorker.removeEventListener('message', onMessage)
  }, [])
}
