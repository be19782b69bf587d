import type { PresenceChange, PresenceState, User } from '../net/frames'
import { Store } from './store'

const MOST_PER_REQUEST = 200

/** Everyone this client has heard of: names and presence. Unknown ones are asked for, together, in the next tick. */
export class People {
  readonly users = new Store<ReadonlyMap<string, User>>(new Map())
  readonly presence = new Store<ReadonlyMap<string, PresenceState>>(new Map())
  private readonly fetchUsers: (ids: string[]) => Promise<User[]>
  private readonly asked = new Set<string>()
  private wanted: string[] = []

  constructor(fetchUsers: (ids: string[]) => Promise<User[]>) {
    this.fetchUsers = fetchUsers
  }

  learn(users: readonly User[]): void {
    if (users.length === 0) return
    this.users.update((known) => {
      const next = new Map(known)
      for (const user of users) next.set(user.id, user)
      return next
    })
  }

  /** Makes sure that these become known. */
  want(ids: Iterable<string>): void {
    const known = this.users.get()
    for (const id of ids) {
      if (!known.has(id)) this.ask(id)
    }
  }

  /** On a new connection nothing is known of who has another name since. Until the answer the old ones stay. */
  renew(me: string): void {
    for (const id of this.users.get().keys()) if (id !== me) this.ask(id)
  }

  private ask(id: string): void {
    if (this.asked.has(id)) return
    this.asked.add(id)
    if (this.wanted.push(id) === 1) queueMicrotask(() => void this.fetchWanted())
  }

  apply(changes: readonly PresenceChange[]): void {
    if (changes.length === 0) return
    this.presence.update((states) => {
      const next = new Map(states)
      for (const { user_id, state } of changes) next.set(user_id, state)
      return next
    })
  }

  /** The states as they are now; whoever is not named is offline. */
  replacePresence(changes: readonly PresenceChange[]): void {
    this.presence.set(new Map(changes.map(({ user_id, state }) => [user_id, state])))
  }

  /** States told by a request: they may be older than what was pushed since, and only fill gaps. */
  fillPresence(changes: readonly PresenceChange[]): void {
    const known = this.presence.get()
    this.apply(changes.filter(({ user_id }) => !known.has(user_id)))
  }

  private async fetchWanted(): Promise<void> {
    const ids = this.wanted.splice(0)
    for (let from = 0; from < ids.length; from += MOST_PER_REQUEST) {
      const part = ids.slice(from, from + MOST_PER_REQUEST)
      try {
        const users = await this.fetchUsers(part)
        this.learn(users)
        for (const { id } of users) this.asked.delete(id) // whoever the server does not know is asked for once
      } catch {
        for (const id of part) this.asked.delete(id) // asked again when next seen
      }
    }
  }
}
