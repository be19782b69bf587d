import { type Entry, dataOf } from '../net/frames'
import type { Outgoing } from './timeline'

type NameOf = (userId: string) => string

const text = (value: unknown) => (typeof value === 'string' ? value : '')

/** What happened in the room, in words; undefined for messages, and for kinds this client does not know. */
export function note(entry: Entry, nameOf: NameOf): string | undefined {
  const { kind, sender_id } = entry
  const data = dataOf(entry)
  const who = nameOf(text(data.user_id) || sender_id)
  const by = text(data.by)
  const other = by !== '' && by !== text(data.user_id) ? nameOf(by) : undefined
  switch (kind) {
    case 'member_joined':
      if (data.via === 'create') return `${who} made this room`
      return other === undefined ? `${who} joined` : `${who} joined, invited by ${other}`
    case 'member_left':
      return other === undefined ? `${who} left` : `${other} removed ${who}`
    case 'role_changed':
      return `${other ?? 'Somebody'} made ${who} ${data.role === 'member' ? 'a' : 'an'} ${text(data.role)}`
    case 'room_changed':
      return roomChange(nameOf(sender_id), data)
    default:
      return undefined
  }
}

function roomChange(who: string, { name, topic, visibility }: Record<string, unknown>): string {
  const changes = [
    ...(typeof name === 'string' ? [`named the room “${name}”`] : []),
    ...(typeof visibility === 'string' ? [`made the room ${visibility}`] : []),
    ...(typeof topic === 'string' ? [topic === '' ? 'removed the topic' : `set the topic: ${topic}`] : []),
  ]
  const last = changes.pop() ?? 'changed the room'
  return changes.length === 0 ? `${who} ${last}` : `${who} ${changes.join(', ')} and ${last}`
}

/** A text without the marks of its Markdown: where there is one line only, they are noise. */
const bare = (body: string) =>
  body
    .replaceAll(/```[^\n`]*/g, '')
    .replaceAll(/(\*\*|~~|`)(\S|\S.*?\S)\1/g, '$2')
    .replaceAll(/!?\[([^\]\n]+)\]\([^()\s]+\)/g, '$1')
    .replaceAll(/^(?:>|[-*]) /gm, '')
    .trim()

/** A text that is on its way, or was refused, in one line, for lists of rooms. */
export function describeOutgoing({ body, state }: Pick<Outgoing, 'body' | 'state'>): string {
  return `${state === 'failed' ? 'Not sent' : 'You'}: ${bare(body)}`
}

/** What was begun and not sent, in one line, for lists of rooms; empty where there is nothing but space. */
export const describeDraft = (text: string): string => bare(text)

/** An entry in one line, for lists of rooms. */
export function describe(entry: Entry, me: string, nameOf: NameOf): string {
  if (entry.kind !== 'text') return note(entry, nameOf) ?? ''
  return `${entry.sender_id === me ? 'You' : nameOf(entry.sender_id)}: ${bare(entry.body ?? '')}`
}
