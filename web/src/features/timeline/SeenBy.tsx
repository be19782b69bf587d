import { useMe, useNames, useRoomState } from '../../model/hooks'
import type { RoomStore } from '../../model/roomStore'
import { Avatar } from '../../ui/Avatar'
import styles from './SeenBy.module.css'

const MOST_SHOWN = 5

/** Who has read up to the newest message. Nothing while others wait below it: nobody has seen those. The room for it stays. */
export function SeenBy({ room }: { room: RoomStore }) {
  const me = useMe().id
  const nameOf = useNames()
  const reads = useRoomState(room, (state) => state.reads)
  const newest = useRoomState(room, ({ timeline }) => timeline.entries.findLast(({ kind }) => kind === 'text'))
  const waits = useRoomState(room, ({ timeline }) => timeline.outgoing.length > 0)
  if (newest === undefined || waits) return <div className={styles.seen} />
  const readers = [...reads]
    .filter(([id, seq]) => seq >= newest.seq && id !== me && id !== newest.sender_id)
    .map(([id]) => ({ id, name: nameOf(id) }))
  if (readers.length === 0) return <div className={styles.seen} />
  const names = readers.map(({ name }) => name).join(', ')
  return (
    <div className={styles.seen}>
      <span role="img" aria-label={`Seen by ${names}`} title={`Seen by ${names}`} className={styles.readers}>
        {readers.slice(0, MOST_SHOWN).map(({ id, name }) => (
          <Avatar key={id} id={id} name={name} size="s" />
        ))}
        {readers.length > MOST_SHOWN && <span>+{readers.length - MOST_SHOWN}</span>}
      </span>
    </div>
  )
}
