import { useMutation } from '@tanstack/react-query'
import { useState } from 'react'
import { useChat, useRoomState } from '../../model/hooks'
import { refusalOf } from '../../model/problems'
import { deleteRoom } from '../../model/requests'
import type { RoomStore } from '../../model/roomStore'
import { Button } from '../../ui/Button'
import { Foot } from '../../ui/Foot'
import styles from './RoomSettings.module.css'

const REFUSALS = { forbidden: 'Only owners may delete this room, and you are none any more.' }

/** The end of a room, asked twice. The server tells everybody, this browser included. */
export function DeleteRoom({ room }: { room: RoomStore }) {
  const chat = useChat()
  const { name, member_count } = useRoomState(room, (state) => state.room)
  const [asking, setAsking] = useState<boolean>()
  const end = useMutation({ mutationFn: () => deleteRoom(chat.api, room.id) })
  const refused = refusalOf(end.error, REFUSALS)
  const others = member_count - 1
  if (asking !== true) {
    return (
      <section aria-label="Delete" className={styles.end}>
        <p>Deleting a room ends it for everybody.</p>
        <Button tone="danger" autoFocus={asking === false} onClick={() => setAsking(true)}>
          Delete room
        </Button>
      </section>
    )
  }
  return (
    <section aria-label="Delete" className={styles.asking}>
      <p role="alert">
        Delete <strong>{name}</strong>, for you{others > 0 && ` and ${others} ${others === 1 ? 'other' : 'others'}`}? Nobody can
        read or write in it after that, and it can’t be undone.
      </p>
      <Foot refused={refused}>
        <Button autoFocus onClick={() => setAsking(false)}>
          Keep it
        </Button>
        <Button tone="danger" busy={end.isPending} until={refused.until} onClick={() => end.mutate()}>
          Delete for everybody
        </Button>
      </Foot>
    </section>
  )
}
