/**
 * A room as this client holds it: a replica of the room's numbered log, as pure functions. An entry is accepted exactly
 * when it points back (`prev_seq`) at the last one held; what came early waits in a priority queue; everything else is
 * a duplicate. Whatever the order, the repetitions and the holes in which entries come, the same entries give the same
 * timeline (RES5).
 */
import type { Entry } from '../net/frames'
import { type PriorityQueue, insert, rest, toArray } from './priorityQueue'

export type { Entry }

/** A place in the log: a number and, where known, the message id at it. */
export interface Position {
  readonly seq: number
  readonly id?: string
}

/** A message of one's own that is not in the log yet. */
export interface Outgoing {
  readonly client_id: string
  readonly body: string
  /** When it was written, RFC 3339. */
  readonly at: string
  /** `sent`: committed, its entry is on its way. `failed`: refused, waits for the user. */
  readonly state: 'sending' | 'sent' | 'failed'
  /** The error code of a refusal. */
  readonly why?: string
}

/** A stretch of the log apart from the run, for reading what was said long ago: without holes, ascending, never empty. */
export interface Past {
  readonly entries: readonly Entry[]
  /** Whether the server has entries before it. */
  readonly hasMore: boolean
}

export interface Timeline {
  /** The user's own id: their entries confirm what is outgoing. */
  readonly me: string
  /** A run without holes, ascending; it ends at `last`. */
  readonly entries: readonly Entry[]
  /** The position: where the run ends, or, while it is empty, where it will start. */
  readonly last: Position
  /** The highest number known to be committed. */
  readonly known: number
  /** Came before what they point back at. */
  readonly early: PriorityQueue<Entry>
  /** Whether the server has entries before the run. */
  readonly hasMore: boolean
  readonly outgoing: readonly Outgoing[]
  /** Set while one reads there. Where it reaches the run, the two become one. */
  readonly past?: Past
}

const bySeq = (a: Entry, b: Entry) => a.seq - b.seq

export function prevSeq(entry: Entry): number {
  return entry.prev_seq ?? entry.seq - 1
}

function positionOf(entry: Entry): Position {
  return { seq: entry.seq, id: entry.message_id }
}

/** A timeline that starts at a cut: the next entry pushed follows it. */
export function start(me: string, cut: Position, newest?: Entry): Timeline {
  const held = newest?.seq === cut.seq ? newest : undefined
  return {
    me,
    entries: held ? [held] : [],
    last: held ? positionOf(held) : cut,
    known: cut.seq,
    early: null,
    hasMore: cut.seq > 0,
    outgoing: [],
  }
}

/** Whether something is known to exist that is not held: then the store must be asked for what follows `last`. */
export function isMissing(timeline: Timeline): boolean {
  return timeline.early !== null || timeline.known > timeline.last.seq
}

/** The entries that wait for earlier ones, in order, each once. */
export function waiting(timeline: Timeline): Entry[] {
  const items = toArray(timeline.early, bySeq)
  return items.filter((entry, index) => entry.seq !== items[index - 1]?.seq)
}

/** Takes in entries from anywhere: pushed, replayed or asked for. Those older than the run are left out (see prepend). */
export function apply(timeline: Timeline, incoming: readonly Entry[]): Timeline {
  let { early, last, known } = timeline
  for (const entry of incoming) {
    if (entry.seq <= last.seq) continue
    early = insert(early, entry, bySeq)
    known = Math.max(known, entry.seq)
  }
  const added: Entry[] = []
  while (early !== null) {
    const entry = early.first
    const duplicate = entry.seq <= last.seq
    if (!duplicate && prevSeq(entry) !== last.seq) break
    early = rest(early, bySeq)
    if (duplicate) continue
    added.push(entry)
    last = positionOf(entry)
  }
  if (added.length === 0 && early === timeline.early) return timeline
  const entries = added.length === 0 ? timeline.entries : [...timeline.entries, ...added]
  return withoutConfirmed({ ...timeline, entries, last, known, early }, added)
}

/** Adds a page of older entries before what is on screen. A page that does not end where that starts is left out. */
export function prepend(timeline: Timeline, page: readonly Entry[], hasMore: boolean): Timeline {
  const { past } = timeline
  if (past === undefined) return extend(timeline, page, hasMore)
  const end = startOf(past.entries, timeline.last)
  const older = page.filter((entry) => entry.seq <= end)
  if (!fits(older, page, end)) return timeline
  return { ...timeline, past: { entries: [...older, ...past.entries], hasMore } }
}

/** Adds a page of older entries before the run. */
function extend(timeline: Timeline, page: readonly Entry[], hasMore: boolean): Timeline {
  const end = startOf(timeline.entries, timeline.last)
  const older = page.filter((entry) => entry.seq <= end)
  if (!fits(older, page, end)) return timeline
  const newest = older.at(-1)
  if (newest === undefined) return { ...timeline, hasMore }
  const entries = [...older, ...timeline.entries]
  const last = timeline.entries.length > 0 ? timeline.last : positionOf(newest)
  return withoutConfirmed({ ...timeline, entries, last, hasMore }, older)
}

/** The number that comes before these entries. */
function startOf(entries: readonly Entry[], last: Position): number {
  return entries[0] === undefined ? last.seq : prevSeq(entries[0])
}

/** Whether the older entries of a page end at this number; or there is nothing before it. */
function fits(older: readonly Entry[], page: readonly Entry[], end: number): boolean {
  const newest = older.at(-1)
  return newest === undefined ? end === 0 || page.length === 0 : newest.seq === end
}

/** Goes to a stretch of the log: entries without holes. */
export function visit(timeline: Timeline, entries: readonly Entry[], hasMore: boolean): Timeline {
  return entries.length === 0 ? timeline : united({ ...timeline, past: { entries, hasMore } })
}

/** Adds a page of newer entries after the stretch. A page that does not start where that ends is left out. */
export function append(timeline: Timeline, page: readonly Entry[]): Timeline {
  const { past } = timeline
  const last = past?.entries.at(-1)
  if (past === undefined || last === undefined) return timeline
  const newer = page.filter((entry) => entry.seq > last.seq)
  if (newer[0] === undefined || prevSeq(newer[0]) !== last.seq) return timeline
  return united({ ...timeline, past: { ...past, entries: [...past.entries, ...newer] } })
}

/** Comes back to the end of the log. */
export function leave(timeline: Timeline): Timeline {
  return timeline.past === undefined ? timeline : { ...timeline, past: undefined }
}

/** A stretch that reaches the run becomes its beginning. */
function united(timeline: Timeline): Timeline {
  const { past } = timeline
  const reached = past?.entries.at(-1)?.seq ?? 0
  if (past === undefined || reached < startOf(timeline.entries, timeline.last)) return timeline
  return extend(leave(timeline), past.entries, past.hasMore)
}

/**
 * Merges the answer to `join` (the newest entries of the room, or those after `last`): by number, so that what was
 * pushed meanwhile stays. Where the page starts beyond the run, it takes the run's place.
 */
export function join(timeline: Timeline, page: readonly Entry[], hasMore: boolean): Timeline {
  const oldest = page[0]
  if (oldest === undefined) return timeline
  if (prevSeq(oldest) > timeline.last.seq) {
    const moved = { ...timeline, entries: [], last: { seq: prevSeq(oldest) }, hasMore }
    return apply(moved, page)
  }
  const first = timeline.entries[0]
  const start = first ? first.seq : timeline.last.seq + 1
  const extended = oldest.seq < start ? extend(timeline, page, hasMore) : timeline
  return apply(extended, page)
}

/**
 * The history changed, or too much was missed (RES3): everything held is dropped. One's own unconfirmed messages stay,
 * and those that were thought committed are sent again: with the same `client_id` that is always safe.
 */
export function reset(timeline: Timeline, cut: Position, newest?: Entry): Timeline {
  const outgoing = timeline.outgoing.map((message) =>
    message.state === 'sent' ? { ...message, state: 'sending' as const } : message,
  )
  const afresh = start(timeline.me, cut, newest)
  return withoutConfirmed({ ...afresh, outgoing }, afresh.entries)
}

/** The server says that this number is committed: until it is held, something is missing. */
export function expect(timeline: Timeline, seq: number): Timeline {
  return seq > timeline.known ? { ...timeline, known: seq } : timeline
}

/** Adds it once; and not at all where its entry is held already: to a reload the entry may come before the outbox does. */
export function addOutgoing(timeline: Timeline, message: Outgoing): Timeline {
  if (timeline.outgoing.some((other) => other.client_id === message.client_id)) return timeline
  return withoutConfirmed({ ...timeline, outgoing: [...timeline.outgoing, message] }, timeline.entries)
}

/** The server says that it is committed, at this number. The position does not move: only entries do that (SEQ3). */
export function confirm(timeline: Timeline, clientId: string, seq: number): Timeline {
  if (seq <= timeline.last.seq) return discard(timeline, clientId)
  return expect(setOutgoing(timeline, clientId, { state: 'sent' }), seq)
}

export function refuse(timeline: Timeline, clientId: string, why: string): Timeline {
  return setOutgoing(timeline, clientId, { state: 'failed', why })
}

export function retry(timeline: Timeline, clientId: string): Timeline {
  return setOutgoing(timeline, clientId, { state: 'sending', why: undefined })
}

export function discard(timeline: Timeline, clientId: string): Timeline {
  return { ...timeline, outgoing: timeline.outgoing.filter((message) => message.client_id !== clientId) }
}

function setOutgoing(timeline: Timeline, clientId: string, change: Partial<Outgoing>): Timeline {
  const outgoing = timeline.outgoing.map((message) =>
    message.client_id === clientId ? { ...message, ...change } : message,
  )
  return { ...timeline, outgoing }
}

function withoutConfirmed(timeline: Timeline, added: readonly Entry[]): Timeline {
  if (timeline.outgoing.length === 0) return timeline
  const confirmed = new Set<string>()
  for (const entry of added) {
    if (entry.sender_id === timeline.me && entry.client_id !== undefined) confirmed.add(entry.client_id)
  }
  const outgoing = timeline.outgoing.filter((message) => !confirmed.has(message.client_id))
  return outgoing.length === timeline.outgoing.length ? timeline : { ...timeline, outgoing }
}
