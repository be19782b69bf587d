import type { Entry } from '../model/timeline'
import type { RoomStore } from '../model/roomStore'

const MOST_CHARACTERS = 140

/** What stands outside of the page: one notice per room. It is taken back when it was read, wherever that was. */
export class Notices {
  private readonly shown = new Map<string, Notice>()

  /** A newer one takes the place of the one before. */
  show(room: RoomStore, { seq, body = '' }: Entry, sender: string, onClick: () => void): void {
    this.shown.get(room.id)?.unwatch()
    const close = tell(`${sender}, in ${room.get().room.name}`, body.slice(0, MOST_CHARACTERS), room.id, onClick)
    const unwatch = room.subscribe(() => {
      if (room.get().room.last_read_seq >= seq) this.takeBack(room.id)
    })
    this.shown.set(room.id, { unwatch, close })
  }

  /** Whoever looks at the page needs none of them, nor of those that the worker showed for a page before this one. */
  takeAllBack(): void {
    for (const roomId of [...this.shown.keys()]) this.takeBack(roomId)
    void closeOfWorker()
  }

  /** The page goes: its notices stay, and nobody takes them back. */
  unwatch(): void {
    for (const { unwatch } of this.shown.values()) unwatch()
    this.shown.clear()
  }

  private takeBack(roomId: string): void {
    const notice = this.shown.get(roomId)
    this.shown.delete(roomId)
    notice?.unwatch()
    notice?.close()
  }
}

interface Notice {
  /** Stops to look whether it was read. */
  unwatch: () => void
  close: () => void
}

function tell(title: string, body: string, room: string, onClick: () => void): () => void {
  const options = { body, tag: room, icon: '/icon-192.png', silent: true, data: { room } }
  try {
    const notification = new Notification(title, options)
    notification.onclick = () => {
      window.focus()
      notification.close()
      onClick()
    }
    return () => notification.close()
  } catch {
    // Phones show those of a service worker only.
    const shown = navigator.serviceWorker.ready.then((registration) => registration.showNotification(title, options))
    return () => void shown.then(() => closeOfWorker(room))
  }
}

/** Those that the worker showed: of a room, or all. */
async function closeOfWorker(tag?: string): Promise<void> {
  if (!('serviceWorker' in navigator)) return
  const registration = await navigator.serviceWorker.getRegistration()
  for (const notification of (await registration?.getNotifications({ tag })) ?? []) notification.close()
}
