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
  const rows: Row[] = filled && !hasMore ? [{ type: 'start', key: 'start' }] : []
  let day: string | undefined
  let lead: Lead | undefined
  // A run that does not reach back to what was read does not hold the first unread message.
  const reaches = !hasMore || entries[0] === undefined || prevSeq(entries[0]) <= (unreadAfter ?? 0)
  let unreadDrawn = unreadAfter === undefined || !reaches

  const startDay = (at: string, rowKey: string) => {
    const key = dayKey(at)
    if (key === day) return
    day = key
    lead = undefined
    rows.push({ type: 'day', key: `day before ${rowKey}`, at })
  }
  const addMessage = (key: string, message: Omit<Message, 'leads'>) => {
    const time = Date.parse(message.at)
    const leads = lead?.senderId !== message.senderId || time - lead.time > GROUP_MS
    if (leads) lead = { senderId: message.senderId, time }
    rows.push({ type: 'message', key, message: { ...message, leads } })
  }

  for (const entry of entries) {
    const { sender_id, seq, at, kind } = entry
    const isText = kind === 'text'
    if (!isText && !KNOWN_NOTES.has(kind)) continue
    startDay(at, entry.message_id)
    if (!unreadDrawn && seq > (unreadAfter ?? 0) && isText && sender_id !== me) {
      unreadDrawn = true
      lead = undefined
      rows.push({ type: 'new', key: 'new' })
    }
    if (isText) {
      const key = sender_id === me && entry.client_id !== undefined ? entry.client_id : entry.message_id
      addMessage(key, { senderId: sender_id, at, body: entry.body ?? '', seq })
    } else {
      lead = undefined
      rows.push({ type: 'note', key: entry.message_id, entry })
    }
  }
  for (const message of outgoing) {
    startDay(message.at, message.client_id)
    addMessage(message.client_id, { senderId: me, at: message.at, body: message.body, outgoing: message })
  }
  if (timeline.past === undefined) rows.push({ type: 'seen', key: 'seen' })
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
