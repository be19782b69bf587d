import { useNames, useRoomState } from '../../model/hooks'
import { note } from '../../model/notes'
import type { RoomStore } from '../../model/roomStore'
import type { Entry } from '../../model/timeline'
import { clockTime, dayName, fullTime } from '../../ui/time'
import { MessageRow } from './MessageRow'
import type { Row } from './rows'
import styles from './RowView.module.css'
import { SeenBy } from './SeenBy'

export function RowView({ room, row }: { room: RoomStore; row: Row }) {
  switch (row.type) {
    case 'start':
      return <Start room={room} />
    case 'day':
      return (
        <h2 className={styles.day}>
          <span>{dayName(row.at)}</span>
        </h2>
      )
    case 'new':
      return (
        <p className={styles.new}>
          <span>New</span>
        </p>
      )
    case 'note':
      return <Note entry={row.entry} />
    case 'message':
      return <MessageRow roomId={room.id} message={row.message} />
    case 'seen':
      return <SeenBy room={room} />
  }
}

function Start({ room }: { room: RoomStore }) {
  const { name, topic } = useRoomState(room, (state) => state.room)
  return (
    <header className={styles.start}>
      <h2>{name}</h2>
      <p>{topic === '' ? 'This is where it begins.' : topic}</p>
    </header>
  )
}

function Note({ entry }: { entry: Entry }) {
  const nameOf = useNames()
  return (
    <p className={styles.note} data-seq={entry.seq}>
      {note(entry, nameOf)}
      <time dateTime={entry.at} title={fullTime(entry.at)}>
        {clockTime(entry.at)}
      </time>
    </p>
  )
}
