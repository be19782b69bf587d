/**
 * The WebSocket contract, version 1, as types and one parser. Names are the wire's own (snake_case), so that a frame in
 * a test, in the network panel and in the code read alike.
 */

export type Role = 'owner' | 'admin' | 'member'
export type Visibility = 'public' | 'private'
export type PresenceState = 'online' | 'away' | 'offline'

export interface User {
  id: string
  username: string
  display_name: string
  avatar_url?: string
  guest: boolean
  admin: boolean
}

/** One numbered entry of a room's log. `prev_seq` left out means `seq` − 1; 0 is sent. */
export interface Entry {
  room_id: string
  seq: number
  prev_seq?: number
  kind: string
  message_id: string
  client_id?: string
  sender_id: string
  at: string
  body?: string
  /** By kind; read it with `dataOf`. */
  data?: unknown
}

export interface Room {
  id: string
  name: string
  topic: string
  visibility: Visibility
  created_at: string
  member_count: number
  head_seq: number
  role?: Role
  last_read_seq: number
  unread_count: number
  last_entry?: Entry
}

export interface ReadPosition {
  user_id: string
  seq: number
}

export interface PresenceChange {
  user_id: string
  state: PresenceState
}

export interface WireError {
  code: string
  message: string
  retry_after_ms?: number
}

export interface Welcome {
  type: 'welcome'
  connection_id: string
  epoch: string
  user: User
  server_time: string
  ping_interval_ms: number
  rooms: Room[]
  rooms_next?: string
}

export type Push =
  | ({ type: 'entry' } & Entry)
  | { type: 'typing'; room_id: string; user_id: string; on: boolean }
  | { type: 'read'; room_id: string; reads: ReadPosition[] }
  | { type: 'presence'; room_id: string; changes?: PresenceChange[]; online_count?: number }
  | { type: 'room_added'; room: Room }
  | { type: 'room_updated'; room: Room }
  | { type: 'room_removed'; room_id: string; reason: string }
  | { type: 'user_updated'; user: User }
  | { type: 'resumed'; room_id: string; recovered: boolean; head_seq: number }

type Signal = { type: 'ping' } | { type: 'reconnect'; within_ms: number }

export type Reply = { type: 'reply'; id: number } & Record<string, unknown>

export interface ErrorReply {
  type: 'error'
  id?: number | null
  error: WireError
}

export type ServerObject = Welcome | Push | Signal | Reply | ErrorReply

export interface JoinReply {
  room: Room
  entries: Entry[]
  users: User[]
  has_more: boolean
  recovered?: boolean
  /** A state per user, or, in a crowded room, only the count. */
  presence?: Record<string, PresenceState> | { online_count: number }
  reads?: ReadPosition[]
  typing?: string[]
}

interface HistoryReply {
  entries: Entry[]
  users: User[]
  has_more: boolean
}

export interface SendReply {
  room_id: string
  seq: number
  message_id: string
  at: string
}

interface ReadReply {
  last_read_seq: number
  unread_count: number
}

/** Every command with its fields and its reply; the `id` is added by the link. */
export interface Commands {
  send: { fields: { room_id: string; client_id: string; body: string }; reply: SendReply }
  join: {
    fields: { room_id: string; last_received_seq?: number; last_received_id?: string }
    reply: JoinReply
  }
  history: {
    fields: { room_id: string; before_seq?: number; after_seq?: number; limit?: number }
    reply: HistoryReply
  }
  typing: { fields: { room_id: string; on: boolean }; reply: object }
  read: { fields: { room_id: string; seq: number }; reply: ReadReply }
  presence: { fields: { state: 'online' | 'away' }; reply: object }
  auth: { fields: { token: string }; reply: { expires_at: string } }
  ping: { fields: object; reply: object }
}

export type CommandName = keyof Commands

const commandNames: Record<CommandName, true> = {
  send: true,
  join: true,
  history: true,
  typing: true,
  read: true,
  presence: true,
  auth: true,
  ping: true,
}

export function isCommandName(name: string): name is CommandName {
  return Object.hasOwn(commandNames, name)
}

/** What an entry carries besides a body. */
export function dataOf({ data }: Entry): Record<string, unknown> {
  return isObject(data) ? data : {}
}

/** One command as text, ready for the socket. */
export function encodeCommand<N extends CommandName>(
  name: N,
  id: number,
  fields: Commands[N]['fields'],
): string {
  return JSON.stringify({ type: name, id, ...fields })
}

type Check = (value: unknown) => boolean

const text: Check = (value) => typeof value === 'string'
const whole: Check = (value) => Number.isSafeInteger(value)
const flag: Check = (value) => typeof value === 'boolean'
const list: Check = (value) => Array.isArray(value)
const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value)
const has = (required: Record<string, Check>): Check => {
  const checks = Object.entries(required)
  return (value) => isObject(value) && checks.every(([key, check]) => check(value[key]))
}

const entry = { room_id: text, seq: whole, kind: text, message_id: text, sender_id: text, at: text }
const room = { id: text, name: text, head_seq: whole }
const user = { id: text, display_name: text }

const required: Record<string, Check> = {
  welcome: has({ epoch: text, user: has(user), ping_interval_ms: whole, rooms: list }),
  entry: has(entry),
  typing: has({ room_id: text, user_id: text, on: flag }),
  read: has({ room_id: text, reads: list }),
  presence: has({ room_id: text }),
  room_added: has({ room: has(room) }),
  room_updated: has({ room: has(room) }),
  room_removed: has({ room_id: text, reason: text }),
  user_updated: has({ user: has(user) }),
  resumed: has({ room_id: text, recovered: flag, head_seq: whole }),
  ping: has({}),
  reconnect: has({ within_ms: whole }),
  reply: has({ id: whole }),
  error: has({ error: has({ code: text }) }),
}

/**
 * One frame from the server: one or more JSON objects separated by newlines, in order. Types this client does not know
 * are left out (the contract lets the server add some); a frame that is not what the contract says throws a SyntaxError.
 */
export function parseFrame(frame: string): ServerObject[] {
  const objects: ServerObject[] = []
  for (const line of frame.split('\n')) {
    if (line === '') continue
    const value: unknown = JSON.parse(line)
    if (!isObject(value) || typeof value.type !== 'string') throw new SyntaxError('a frame without a type')
    const check = Object.hasOwn(required, value.type) ? required[value.type] : undefined
    if (check === undefined) continue
    if (!check(value)) throw new SyntaxError(`a malformed ${value.type} frame`)
    objects.push(value as unknown as ServerObject)
  }
  return objects
}
