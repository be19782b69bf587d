import { type DBSchema, type IDBPDatabase, openDB } from 'idb'
import { Store } from './store'
import type { Outgoing } from './timeline'

/** An unsent message on disk. `order` keeps the order of writing. */
interface StoredMessage extends Outgoing {
  user_id: string
  room_id: string
  order: number
}

interface StoredDraft {
  user_id: string
  room_id: string
  text: string
}

interface Schema extends DBSchema {
  outbox: { key: string; value: StoredMessage; indexes: { user_id: string } }
  drafts: { key: [string, string]; value: StoredDraft; indexes: { user_id: string } }
}

const NAME = 'gochat'

/** What a user has written and the server does not have yet: it survives reloads, and ends at logout. */
export interface Outbox {
  /** Whether what is written now outlives the page: the browser has a place for it, and there was room the last time. */
  readonly lasting: Store<boolean>
  /** Unsent messages in the order of writing; none where they can't be read, and then nothing is lasting. */
  load(): Promise<StoredMessage[]>
  put(roomId: string, message: Outgoing): Promise<void>
  remove(clientId: string): Promise<void>
  draft(roomId: string): string
  setDraft(roomId: string, text: string): Promise<void>
  /** Another tab has written it, and keeps it. */
  heardDraft(roomId: string, text: string): void
  /** How many there are, those of other tabs too. */
  drafts(): Promise<number>
  /** Forgets everything of this user. Fails where the browser does not let go of it. */
  wipe(): Promise<void>
}

async function openDatabase(): Promise<IDBPDatabase<Schema> | undefined> {
  try {
    return await openDB<Schema>(NAME, 1, {
      upgrade(db) {
        db.createObjectStore('outbox', { keyPath: 'client_id' }).createIndex('user_id', 'user_id')
        db.createObjectStore('drafts', { keyPath: ['user_id', 'room_id'] }).createIndex('user_id', 'user_id')
      },
    })
  } catch {
    return undefined // private windows of some browsers: the outbox then lives as long as the page
  }
}

/** A user's drafts on disk; `undefined` where they can't be read. */
async function storedDrafts(db: IDBPDatabase<Schema> | undefined, userId: string): Promise<StoredDraft[] | undefined> {
  try {
    return await db?.getAllFromIndex('drafts', 'user_id', userId)
  } catch {
    return undefined
  }
}

/** Opens the outbox of one user, in IndexedDB where there is one. Drafts are read at once, so that asking is instant. */
export async function openOutbox(userId: string): Promise<Outbox> {
  const opened = await openDatabase()
  const found = await storedDrafts(opened, userId)
  const db = found === undefined ? undefined : opened // one that can't be read is none
  const drafts = new Map(found?.map(({ room_id, text }) => [room_id, text]))
  const orders = new Map<string, number>()
  let order = Date.now()
  const lasting = new Store(db !== undefined)
  /**
   * What can't be written is held in memory as all the rest is, and that it is not kept is told.
   *
   * @param adds it needs room: where there is room for it, there is some
   */
  const write = async (adds: boolean, change: (disk: IDBPDatabase<Schema>) => Promise<unknown>) => {
    if (db === undefined) return
    try {
      await change(db)
      if (adds) lasting.set(true)
    } catch {
      lasting.set(false)
    }
  }
  const note = (roomId: string, text: string) => {
    if (text === '') drafts.delete(roomId)
    else drafts.set(roomId, text)
  }

  return {
    lasting,
    async load() {
      try {
        const messages = (await db?.getAllFromIndex('outbox', 'user_id', userId)) ?? []
        for (const message of messages) orders.set(message.client_id, message.order)
        return messages.sort((a, b) => a.order - b.order)
      } catch {
        lasting.set(false)
        return []
      }
    },
    async put(roomId, message) {
      order = Math.max(order + 1, Date.now())
      const place = orders.get(message.client_id) ?? order
      orders.set(message.client_id, place)
      // Asked for and committed in one go: whoever reloads right after writing takes the page away before a second step.
      await write(true, (disk) => {
        const tx = disk.transaction('outbox', 'readwrite')
        const written = tx.store.put({ ...message, user_id: userId, room_id: roomId, order: place })
        tx.commit()
        return Promise.all([written, tx.done])
      })
    },
    async remove(clientId) {
      orders.delete(clientId)
      await write(false, (disk) => disk.delete('outbox', clientId))
    },
    draft: (roomId) => drafts.get(roomId) ?? '',
    async setDraft(roomId, text) {
      note(roomId, text)
      // In one go, as above: else what is sent already is found again, unsent, by whoever reloads right after it.
      await write(text !== '', (disk) => {
        const tx = disk.transaction('drafts', 'readwrite')
        const written =
          text === '' ? tx.store.delete([userId, roomId]) : tx.store.put({ user_id: userId, room_id: roomId, text })
        tx.commit()
        return Promise.all([written, tx.done])
      })
    },
    heardDraft: note,
    async drafts() {
      const stored = await storedDrafts(db, userId)
      const texts = stored?.map(({ text }) => text) ?? [...drafts.values()]
      return texts.filter((text) => text.trim() !== '').length
    },
    async wipe() {
      drafts.clear()
      if (db === undefined) return
      const tx = db.transaction(['outbox', 'drafts'], 'readwrite')
      for (const name of ['outbox', 'drafts'] as const) {
        const store = tx.objectStore(name)
        for (const key of await store.index('user_id').getAllKeys(userId)) await store.delete(key)
      }
      await tx.done
    },
  }
}
