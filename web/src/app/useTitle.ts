import { useEffect } from 'react'
import { useRooms } from '../model/hooks'
import type { RoomStore } from '../model/roomStore'

const NAME = 'GoChat'
/** A room counts no further. */
const MOST_COUNTED = 100

/** "(3) Harbour walk · GoChat": what is unread in all rooms, and where one is. */
export function titleOf(unread: number, place?: string): string {
  const where = place === undefined ? NAME : `${place} · ${NAME}`
  if (unread === 0) return where
  return `(${unread < MOST_COUNTED ? unread : '99+'}) ${where}`
}

function show(unread: number, place?: string): void {
  const title = titleOf(unread, place)
  if (document.title !== title) document.title = title
  const icon = document.querySelector<HTMLLinkElement>('link[rel="icon"]')
  const href = unread > 0 ? '/favicon-unread.svg' : '/favicon.svg'
  if (icon !== null && icon.getAttribute('href') !== href) icon.href = href
}

/** The title of a page for those who are not in. */
export function useTitle(place: string): void {
  useEffect(() => {
    show(0, place)
    return () => show(0)
  }, [place])
}

/**
 * The title and the icon of the chat: they follow the open room's name, and what is unread in all rooms. What is unread
 * for no longer than it takes to be read in the open room is not counted.
 */
export function useLiveTitle(open: RoomStore | undefined): void {
  const rooms = useRooms()
  useEffect(() => {
    let timer: ReturnType<typeof setTimeout> | undefined
    const update = () => {
      timer = undefined
      const unread = (rooms ?? []).reduce((sum, room) => sum + room.get().room.unread_count, 0)
      show(unread, open?.get().room.name)
    }
    update()
    const soon = () => {
      timer ??= setTimeout(update)
    }
    const stops = (rooms ?? []).map((room) => room.subscribe(soon))
    return () => {
      clearTimeout(timer)
      for (const stop of stops) stop()
      show(0)
    }
  }, [rooms, open])
}
