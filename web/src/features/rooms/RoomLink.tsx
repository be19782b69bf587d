import { Link, useParams } from '@tanstack/react-router'
import { memo, useId } from 'react'
import { useDraftOf, useMe, useNames, useRoomState } from '../../model/hooks'
import { describe, describeDraft, describeOutgoing } from '../../model/notes'
import { type RoomStore, lastActivity } from '../../model/roomStore'
import type { Outgoing } from '../../model/timeline'
import { Avatar } from '../../ui/Avatar'
import { shortTime } from '../../ui/time'
import { useToday } from '../../ui/useToday'
import styles from './RoomLink.module.css'

/** Drawn again when its own room changes, not when the others do. */
export const RoomLink = memo(function RoomLink({ room }: { room: RoomStore }) {
  const { name, unread_count, last_entry } = useRoomState(room, (state) => state.room)
  const typing = useRoomState(room, (state) => state.typing.size > 0)
  const at = useRoomState(room, lastActivity)
  const me = useMe().id
  useToday()
  const nameOf = useNames()
  // What was refused waits for one, whatever came after it.
  const outgoing = useRoomState(room, ({ timeline }) =>
    timeline.outgoing.find((out) => out.state === 'failed') ?? timeline.outgoing.findLast((out) => out.state === 'sending'))
  const isOpen = useParams({ strict: false, select: ({ roomId }) => roomId === room.id })
  const draft = describeDraft(useDraftOf(room.id, !isOpen))
  const last = last_entry === undefined ? '' : describe(last_entry, me, nameOf)
  const unread = unread_count >= 100 ? '99+' : String(unread_count)
  // The name is what it is called and how much is new; the rest is there to be looked at, or asked for.
  const previewId = useId()
  return (
    <li>
      <Link
        to="/rooms/$roomId"
        params={{ roomId: room.id }}
        className={styles.link}
        activeProps={{ className: styles.active, 'aria-current': 'page' }}
        aria-describedby={previewId}
      >
        <Avatar id={room.id} name={name} />
        <span className={styles.text}>
          <span className={styles.line}>
            <span className={unread_count > 0 ? styles.unreadName : styles.name}>
              <span aria-hidden={unread_count > 0}>{name}</span>
              {unread_count > 0 && <span className="visuallyHidden">{`${name}, ${unread} unread`}</span>}
            </span>
            <time aria-hidden className={styles.time} dateTime={at}>
              {shortTime(at)}
            </time>
          </span>
          <span aria-hidden className={styles.line}>
            <span id={previewId} className={styles.preview}>
              <Preview outgoing={outgoing} typing={typing} draft={draft} last={last} />
            </span>
            {unread_count > 0 && <span className={styles.badge}>{unread}</span>}
          </span>
        </span>
      </Link>
    </li>
  )
})

interface PreviewProps {
  outgoing?: Outgoing
  typing: boolean
  draft: string
  last: string
}

/** The one thing to know of a room: what needs one first, then what others do, what one has begun, and what was said. */
function Preview({ outgoing, typing, draft, last }: PreviewProps) {
  if (outgoing?.state === 'failed') return <strong>{describeOutgoing(outgoing)}</strong>
  if (typing) return <em>typing…</em>
  if (draft !== '') return <><strong>Draft:</strong> {draft}</>
  return outgoing === undefined ? last : describeOutgoing(outgoing)
}
