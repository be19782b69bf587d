import { type DBSchema, type IDBPDatabase, openDB } from 'idb'
import type { Entry, Room, User } from '../net/frames'

/** A room as it was last held. */
export interface KeptRoom {
  room: Room
  /** The newest ones, without holes, ascending. */
  entries: Entry[]
  hasMore: boolean
  /** Whether they reach back a page (see RoomState). */
  filled: boolean
}

/** What was last held of a user's chat: what can be read without a network. */
export interface Kept {
  user: User
  /** The history that the positions belong to (RES3). */
  epoch?: string
  /** Everyone named in it. */
  users: User[]
  rooms: KeptRoom[]
}

type About = Omit<Kept, 'rooms'>

interface Schema extends DBSchema {
  about: { key: 'about'; value: About }
  rooms: { key: string; value: KeptRoom }
}

const NAME = 'gochat-kept'

/** The copy on disk, of one user at a time. Where there is no disk (private windows of some browsers) nothing is kept. */
export interface KeptCopy {
  /** What can't be read counts as nothing: the server has all of it. */
  load(): Promise<Kept | undefined>
  /** Puts rooms into it, and takes out those that are gone, or (`gone: 'others'`) all others. */
  save(about: About, rooms: readonly KeptRoom[], gone: readonly string[] | 'others'): Promise<void>
  /** Fails where the browser does not let go of it. */
  wipe(): Promise<void>
}

async function open(): Promise<IDBPDatabase<Schema> | undefined> {
  try {
    return await openDB<Schema>(NAME, 1, {
      upgrade(db) {
        db.createObjectStore('about')
        db.createObjectStore('rooms', { keyPath: 'room.id' })
      },
    })
  } catch {
    return undefined
  }
}

export async function openKept(): Promise<KeptCopy> {
  const db = await open()
  return {
    async load() {
      try {
        const tx = db?.transaction(['about', 'rooms'])
        const about = await tx?.objectStore('about').get('about')
        if (tx === undefined || about === undefined) return undefined
        return { ...about, rooms: await tx.objectStore('rooms').getAll() }
      } catch {
        return undefined
      }
    },
    async save(about, rooms, gone) {
      try {
        const tx = db?.transaction(['about', 'rooms'], 'readwrite')
        if (tx === undefined) return
        const store = tx.objectStore('rooms')
        await Promise.all([
          tx.objectStore('about').put(about, 'about'),
          ...(gone === 'others' ? [store.clear()] : gone.map((id) => store.delete(id))),
          ...rooms.map((room) => store.put(room)),
          tx.done,
        ])
      } catch {
        // no room on the disk: the copy before this one stays, whole, and the next connection goes on from there
      }
    },
    async wipe() {
      const tx = db?.transaction(['about', 'rooms'], 'readwrite')
      if (tx === undefined) return
      await Promise.all([tx.objectStore('about').clear(), tx.objectStore('rooms').clear(), tx.done])
    },
  }
}
