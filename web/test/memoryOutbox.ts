import type { Outbox } from '../src/model/outbox'
import { Store } from '../src/model/store'
import type { Outgoing } from '../src/model/timeline'

/** An outbox without a disk, and what it holds. */
export function memoryOutbox(stored: (Outgoing & { room_id: string })[] = []) {
  const messages = new Map(stored.map((message) => [message.client_id, message]))
  const outbox: Outbox = {
    lasting: new Store(false),
    load: () =>
      Promise.resolve([...messages.values()].map((message, order) => ({ ...message, user_id: 'me', order }))),
    put: (room_id, message) => {
      messages.set(message.client_id, { ...message, room_id })
      return Promise.resolve()
    },
    remove: (clientId) => {
      messages.delete(clientId)
      return Promise.resolve()
    },
    draft: () => '',
    setDraft: () => Promise.resolve(),
    heardDraft: () => undefined,
    drafts: () => Promise.resolve(0),
    wipe: () => {
      messages.clear()
      return Promise.resolve()
    },
  }
  return { outbox, messages }
}
