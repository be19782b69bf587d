import { useEffect, useEffectEvent } from 'react'
import { useChat } from '../model/hooks'
import { isNews, wishes } from '../model/notifications'

const MOST_CHARACTERS = 140

/** Tells of messages outside of the page while nobody looks at it. A click leads to the room. */
export function useNotifications(enter: (roomId: string) => void): void {
  const chat = useChat()
  const onEnter = useEffectEvent(enter)
  useEffect(() => {
    const { replica, people } = chat
    return replica.newest.subscribe(() => {
      const entry = replica.newest.get()
      if (entry === undefined || document.hasFocus() || !('Notification' in globalThis) || Notification.permission !== 'granted') return
      if (!isNews(entry, replica.me.get().id, wishes.get(), Date.now())) return
      const room = replica.room(entry.room_id)?.get().room.name ?? ''
      const sender = people.users.get().get(entry.sender_id)?.display_name ?? 'Somebody'
      tell(`${sender}, in ${room}`, (entry.body ?? '').slice(0, MOST_CHARACTERS), entry.room_id, () => onEnter(entry.room_id))
    })
  }, [chat])
  useEffect(() => {
    if (!('serviceWorker' in navigator)) return
    // A notification that the worker showed was clicked (sw.ts).
    const onMessage = ({ data }: MessageEvent<{ room: string }>) => onEnter(data.room)
    navigator.serviceWorker.addEventListener('message', onMessage)
    addEventListener('focus', takeBack)
    return () => {
      navigator.serviceWorker.removeEventListener('message', onMessage)
      removeEventListener('focus', takeBack)
    }
  }, [])
}

/** One per room: a newer one takes the place of the one before. */
function tell(title: string, body: string, room: string, onClick: () => void): void {
  const options = { body, tag: room, icon: '/icon-192.png', silent: true, data: { room } }
  try {
    const notification = new Notification(title, options)
    notification.onclick = () => {
      window.focus()
      notification.close()
      onClick()
    }
  } catch {
    // Phones show those of a service worker only.
    void navigator.serviceWorker.ready.then((registration) => registration.showNotification(title, options))
  }
}

/** Whoever looks at the page needs none of what the worker shows. */
function takeBack(): void {
  void navigator.serviceWorker.getRegistration().then(async (registration) => {
    for (const notification of (await registration?.getNotifications()) ?? []) notification.close()
  })
}
