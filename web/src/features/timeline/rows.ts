import { type Entry, type Outgoing, type Timeline, prevSeq } from '../../model/timeline'
import { dayKey } from '../../ui/time'

/** What is drawn, from top to bottom. Keys stay the same from the optimistic copy to the confirmed message. */
export type Row =
  /** The beginning of the room. */
  | { type: 'start'; key: string }
  | { type: 'day'; key: string; at: string }
  | { type: 'new'; key: string }
  | { type: 'note'; key: string; entry: Entry }
  | { type: 'message'; key: string; message: Message }
  /** Who has seen the newest message. */
  | { type: 'seen'; key: string }

export interface Message {
  senderId: string
  at: string
  body: string
  /** Starts a group: shows who and when. */
  leads: boolean
  /** Its number, when it is in the log. */
  seq?: number
  /** Set while it is not. */
  outgoing?: Outgoing
}

const GROUP_MS = 3 * 60_000

/** Rows that are there once or not at all. */
const START: Row = { type: 'start', key: 'start' }
const NEW: Row = { type: 'new', key: 'new' }
const SEEN: Row = { type: 'seen', key: 'seen' }

/**
 * What an entry's row needs, and the row itself. Entries never change: so whatever else comes, the rows of those that
 * were there stay the same objects, and nothing of them is worked out or drawn again (P9).
 */
interface Known {
  time: number
  day: string
  dayRow?: Row
  row?: Row
}

const known = new WeakMap<Entry, Known>()

function knownOf(entry: Entry): Known {
  let found = known.get(entry)
  if (found === undefined) {
    found = { time: Date.parse(entry.at), day: dayKey(entry.at) }
    known.set(entry, found)
  }
  return found
}

/** The row of a message in the log. Only whether it leads depends on others. */
function messageRow(entry: Entry, held: Known, key: string, leads: boolean): Row {
  if (held.row?.type === 'message' && held.row.key === key && held.row.message.leads === leads) return held.row
  const { sender_id: senderId, at, body = '', seq } = entry
  return (held.row = { type: 'message', key, message: { senderId, at, body, seq, leads } })
}

interface Lead {
  senderId: string
  time: number
}

/**
 * Groups messages by author and time, and puts separators between days and before the first unread one.
 *
 * @param filled      whether the newest page has been read: only then is the beginning known
 * @param unreadAfter the last number read, when the "new" line is to be drawn
 */
export function rowsOf(
  me: string,
  timeline: Timeline,
  filled: boolean,
  unreadAfter: number | undefined,
): Row[] {
  const { entries, hasMore } = timeline.past ?? timeline
  const outgoing = timeline.past === undefined ? timeline.outgoing : []
  const rows: Row[] = filled && !hasMore ? [START] : []
  let day: string | undefined
  let lead: Lead | undefined
  // A run that does not reach back to what was read does not hold the first unread message.
  const reaches = !hasMore || entries[0] === undefined || prevSeq(entries[0]) <= (unreadAfter ?? 0)
  let unreadDrawn = unreadAfter === undefined || !reaches

  const startsDay = (next: string) => {
    if (next === day) return false
    day = next
    lead = undefined
    return true
  }
  const leadsWith = (senderId: string, time: number) => {
    const leads = lead?.senderId !== senderId || time - lead.time > GROUP_MS
    if (leads) lead = { senderId, time }
    return leads
  }

  for (const entry of entries) {
    const { sender_id, seq, at, kind } = entry
    const isText = kind === 'text'
    if (!isText && !KNOWN_NOTES.has(kind)) continue
    const held = knownOf(entry)
    if (startsDay(held.day)) rows.push((held.dayRow ??= { type: 'day', key: `day before ${entry.message_id}`, at }))
    if (!unreadDrawn && seq > (unreadAfter ?? 0) && isText && sender_id !== me) {
      unreadDrawn = true
      lead = undefined
      rows.push(NEW)
    }
    if (isText) {
      const key = sender_id === me && entry.client_id !== undefined ? entry.client_id : entry.message_id
      rows.push(messageRow(entry, held, key, leadsWith(sender_id, held.time)))
    } else {
      lead = undefined
      rows.push((held.row ??= { type: 'note', key: entry.message_id, entry }))
    }
  }
  for (const message of outgoing) {
    const { at, body, client_id: key } = message
    if (startsDay(dayKey(at))) rows.push({ type: 'day', key: `day before ${key}`, at })
    rows.push({ type: 'message', key, message: { senderId: me, at, body, leads: leadsWith(me, Date.parse(at)), outgoing: message } })
  }
  if (timeline.past === undefined) rows.push(SEEN)
  return rows
}

const KNOWN_NOTES = new Set(['member_joined', 'member_left', 'role_changed', 'room_changed'])

/** Where the entry with this number is drawn; or the next one that is drawn; or the last. */
export function rowAt(rows: readonly Row[], seq = 0): number {
  const at = rows.findIndex((row) => (seqOf(row) ?? -1) >= Math.max(0, seq))
  return at < 0 ? rows.length - 1 : at
}

function seqOf(row: Row): number | undefined {
  return row.type === 'message' ? row.message.seq : row.type === 'note' ? row.entry.seq : undefined
}
