import { Link } from '@tanstack/react-router'
import { useNames, useRoomState } from '../../model/hooks'
import { describe } from '../../model/notes'
import { type RoomStore, lastActivity } from '../../model/roomStore'
import { Avatar } from '../../ui/Avatar'
import { shortTime } from '../../ui/time'
import styles from './RoomLink.module.css'

export function RoomLink({ room }: { room: RoomStore }) {
  const { name, unread_count, last_entry } = useRoomState(room, (state) => state.room)
  const typing = useRoomState(room, (state) => state.typing.size > 0)
  const at = useRoomState(room, lastActivity)
  const nameOf = useNames()
  const preview = last_entry === undefined ? '' : describe(last_entry, nameOf)
  const unread = unread_count >= 100 ? '99+' : String(unread_count)
  return (
    <li>
      <Link
        to="/rooms/$roomId"
        params={{ roomId: room.id }}
        className={styles.link}
        activeProps={{ className: styles.active, 'aria-current': 'page' }}
        aria-label={unread_count > 0 ? `${name}, ${unread} unread` : name}
      >
        <Avatar id={room.id} name={name} />
        <span className={styles.text}>
          <span className={styles.line}>
            <span className={unread_count > 0 ? styles.unreadName : styles.name}>{name}</span>
            <time className={styles.time} dateTime={at}>
              {shortTime(at)}
            </time>
          </span>
          <span className={styles.line}>
            <span className={styles.preview}>{typing ? <em>typing…</em> : preview}</span>
            {unread_count > 0 && <span className={styles.badge}>{unread}</span>}
          </span>
        </span>
      </Link>
    </li>
  )
}
