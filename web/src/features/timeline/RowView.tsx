import { UserPlus } from 'lucide-react'
import { memo } from 'react'
import { useNames, useRoomState } from '../../model/hooks'
import { note } from '../../model/notes'
import type { RoomStore } from '../../model/roomStore'
import type { Entry } from '../../model/timeline'
import { Button } from '../../ui/Button'
import { clockTime, dayName, fullTime } from '../../ui/time'
import { useToday } from '../../ui/useToday'
import { MessageRow } from './MessageRow'
import type { Row } from './rows'
import styles from './RowView.module.css'
import { SeenBy } from './SeenBy'

interface RowViewProps {
  room: RoomStore
  row: Row
  /** The number of the message that a link led to. */
  target?: number
  /** One's own newest message in the log. */
  isNewestOwn: boolean
  /** Opens the invite dialog; left out where one may not invite. */
  onInvite?: () => void
}

export const RowView = memo(function RowView({ room, row, target, isNewestOwn, onInvite }: RowViewProps) {
  switch (row.type) {
    case 'start':
      return <Start room={room} onInvite={onInvite} />
    case 'day':
      return <Day at={row.at} />
    case 'new':
      return (
        <p className={styles.new}>
          <span>New</span>
        </p>
      )
    case 'note':
      return <Note entry={row.entry} />
    case 'message':
      return (
        <MessageRow
          roomId={room.id}
          id={row.key}
          message={row.message}
          isTarget={row.message.seq !== undefined && row.message.seq === target}
          isNewestOwn={isNewestOwn}
        />
      )
    case 'seen':
      return <SeenBy room={room} />
  }
})

function Day({ at }: { at: string }) {
  useToday() // what is called Today is called Yesterday a day later
  return (
    <h2 className={styles.day}>
      <span>{dayName(at)}</span>
    </h2>
  )
}

/** The beginning of the room, and, as long as one is alone, what to do next. */
function Start({ room, onInvite }: { room: RoomStore; onInvite?: () => void }) {
  const { name, topic, visibility, member_count } = useRoomState(room, (state) => state.room)
  return (
    <header className={styles.start}>
      <h2>{name}</h2>
      <p>{topic === '' ? 'This is where it begins.' : topic}</p>
      {member_count <= 1 && (
        <div className={styles.alone}>
          <p>
            {visibility === 'public'
              ? 'Nobody else is here yet. Anyone can find this room under “Discover rooms”, or come by a link.'
              : 'Nobody else is here yet. Make a link, and give it to those who should come in.'}
          </p>
          {onInvite !== undefined && (
            <Button tone="primary" onClick={onInvite}>
              <UserPlus size={17} aria-hidden />
              Invite people
            </Button>
          )}
        </div>
      )}
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
