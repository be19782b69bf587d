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

const KNOWN_NOTES = new Set(['member_joined', 'member_left', 'role_changed', 'room_changed'])

/** Walks down a timeline, and draws what it passes by. */
class Walk {
  readonly rows: Row[]
  private readonly me: string
  private day: string | undefined
  private lead: { senderId: string; time: number } | undefined
  /** The last number read, as long as the "new" line is to be drawn after it. */
  private unreadAfter: number | undefined

  constructor(me: string, unreadAfter: number | undefined, rows: Row[]) {
    this.me = me
    this.unreadAfter = unreadAfter
    this.rows = rows
  }

  /** Another one, which goes on from here. */
  fork(): Walk {
    const next = new Walk(this.me, this.unreadAfter, [...this.rows])
    next.day = this.day
    next.lead = this.lead
    return next
  }

  pass(entry: Entry): void {
    const { sender_id, seq, at, kind } = entry
    const isText = kind === 'text'
    if (!isText && !KNOWN_NOTES.has(kind)) return
    const held = knownOf(entry)
    if (this.startsDay(held.day)) this.rows.push((held.dayRow ??= { type: 'day', key: `day before ${entry.message_id}`, at }))
    if (this.unreadAfter !== undefined && seq > this.unreadAfter && isText && sender_id !== this.me) {
      this.unreadAfter = undefined
      this.lead = undefined
      this.rows.push(NEW)
    }
    if (isText) {
      const key = sender_id === this.me && entry.client_id !== undefined ? entry.client_id : entry.message_id
      this.rows.push(messageRow(entry, held, key, this.leads(sender_id, held.time)))
    } else {
      this.lead = undefined
      this.rows.push((held.row ??= { type: 'note', key: entry.message_id, entry }))
    }
  }

  passOutgoing(message: Outgoing): void {
    const { at, body, client_id: key } = message
    if (this.startsDay(dayKey(at))) this.rows.push({ type: 'day', key: `day before ${key}`, at })
    const leads = this.leads(this.me, Date.parse(at))
    this.rows.push({ type: 'message', key, message: { senderId: this.me, at, body, leads, outgoing: message } })
  }

  private startsDay(next: string): boolean {
    if (next === this.day) return false
    this.day = next
    this.lead = undefined
    return true
  }

  private leads(senderId: string, time: number): boolean {
    const leads = this.lead?.senderId !== senderId || time - this.lead.time > GROUP_MS
    if (leads) this.lead = { senderId, time }
    return leads
  }
}

/** Whether entries are others and more after them. Between the ends of a run there is only what is between them in the log. */
const isBeginning = (these: readonly Entry[], all: readonly Entry[]) =>
  these.length <= all.length && these[0] === all[0] && these.at(-1) === all[these.length - 1]

/**
 * What draws the rows of a timeline that changes. It remembers how far it came: where entries only came at the end, as
 * they mostly do, no others are looked at again, however many there are (P9).
 */
export function newRows() {
  let walked: { walk: Walk; entries: readonly Entry[]; me: string; begins: boolean; lineAfter: number | undefined } | undefined

  /**
   * Groups messages by author and time, and puts separators between days and before the first unread one.
   *
   * @param filled      whether the newest page has been read: only then is the beginning known
   * @param unreadAfter the last number read, when the "new" line is to be drawn
   */
  return (me: string, timeline: Timeline, filled: boolean, unreadAfter: number | undefined): Row[] => {
    const { entries, hasMore } = timeline.past ?? timeline
    const begins = filled && !hasMore
    // A run that does not reach back to what was read does not hold the first unread message.
    const reaches = !hasMore || entries[0] === undefined || prevSeq(entries[0]) <= (unreadAfter ?? 0)
    const lineAfter = reaches ? unreadAfter : undefined
    const isSame = walked?.me === me && walked.begins === begins && walked.lineAfter === lineAfter
    const before = isSame && isBeginning(walked?.entries ?? [], entries) ? walked : undefined
    const walk = before?.walk ?? new Walk(me, lineAfter, begins ? [START] : [])
    for (const entry of entries.slice(before?.entries.length ?? 0)) walk.pass(entry)
    walked = { walk, entries, me, begins, lineAfter }

    const whole = walk.fork()
    if (timeline.past !== undefined) return whole.rows
    for (const message of timeline.outgoing) whole.passOutgoing(message)
    whole.rows.push(SEEN)
    return whole.rows
  }
}

/** Where the entry with this number is drawn; or the next one that is drawn; or the last. */
export function rowAt(rows: readonly Row[], seq = 0): number {
  const at = rows.findIndex((row) => (seqOf(row) ?? -1) >= Math.max(0, seq))
  return at < 0 ? rows.length - 1 : at
}

function seqOf(row: Row): number | undefined {
  return row.type === 'message' ? row.message.seq : row.type === 'note' ? row.entry.seq : undefined
}
