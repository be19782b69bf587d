import { Link } from '@tanstack/react-router'
import { memo, useId } from 'react'
import { useMe, useNames, useRoomState } from '../../model/hooks'
import { describe, describeOutgoing } from '../../model/notes'
import { type RoomStore, lastActivity } from '../../model/roomStore'
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
  const preview = last_entry === undefined ? '' : describe(last_entry, me, nameOf)
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
              {outgoing?.state === 'failed'
                ? <strong>{describeOutgoing(outgoing)}</strong>
                : typing ? <em>typing…</em> : outgoing === undefined ? preview : describeOutgoing(outgoing)}
            </span>
            {unread_count > 0 && <span className={styles.badge}>{unread}</span>}
          </span>
        </span>
      </Link>
    </li>
  )
})
