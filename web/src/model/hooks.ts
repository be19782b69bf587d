import { createContext, useCallback, useContext, useRef, useSyncExternalStore } from 'react'
import type { PresenceState, User } from '../net/frames'
import type { ChatClient } from './chatClient'
import type { RoomState, RoomStore } from './roomStore'
import type { Session } from './session'
import type { Store } from './store'

export const SessionContext = createContext<Session | undefined>(undefined)
export const ChatContext = createContext<ChatClient | undefined>(undefined)

export function useSession(): Session {
  const session = useContext(SessionContext)
  if (session === undefined) throw new Error('no session above')
  return session
}

export function useChat(): ChatClient {
  const chat = useContext(ChatContext)
  if (chat === undefined) throw new Error('no chat above')
  return chat
}

/** The chat where there is one: on pages that are for everybody. */
export function useMaybeChat(): ChatClient | undefined {
  return useContext(ChatContext)
}

export function useStore<T>(store: Store<T>): T {
  return useSyncExternalStore(store.subscribe, store.get)
}

/** A part of a store; renders again only when that part is another (by Object.is, or by `same`). */
export function useSelected<T, S>(
  store: Store<T>,
  select: (value: T) => S,
  same: (a: S, b: S) => boolean = Object.is,
): S {
  const last = useRef<{ value: S } | undefined>(undefined)
  return useSyncExternalStore(store.subscribe, () => {
    const next = select(store.get())
    if (last.current !== undefined && same(last.current.value, next)) return last.current.value
    last.current = { value: next }
    return next
  })
}

export function useRooms(): readonly RoomStore[] | undefined {
  return useStore(useChat().replica.rooms)
}

export function useRoom(roomId: string | undefined): RoomStore | undefined {
  const { replica } = useChat()
  return useSelected(replica.rooms, () => (roomId === undefined ? undefined : replica.room(roomId)))
}

export function useRoomState<S>(room: RoomStore, select: (state: RoomState) => S): S {
  return useSelected(room, select)
}

/** What one has begun to write in a room, in any tab; nothing, and drawn for nothing, where it is not asked for. */
export function useDraftOf(roomId: string, wanted: boolean): string {
  const { drafts } = useChat()
  const watch = useCallback((watcher: () => void) => drafts.watch(roomId, watcher), [drafts, roomId])
  return useSyncExternalStore(watch, () => (wanted ? drafts.of(roomId) : ''))
}

export function useMe(): User {
  return useStore(useChat().me)
}

export function useUser(userId: string): User | undefined {
  return useSelected(useChat().people.users, (users) => users.get(userId))
}

/** What to call people, by id. */
export function useNames(): (userId: string) => string {
  const users = useStore(useChat().people.users)
  return (userId) => users.get(userId)?.display_name ?? '…'
}

export function usePresence(userId: string): PresenceState {
  return useSelected(useChat().people.presence, (states) => states.get(userId) ?? 'offline')
}
