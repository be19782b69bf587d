import { useMutation } from '@tanstack/react-query'
import { LogOut } from 'lucide-react'
import { useState } from 'react'
import { useChat, useRoomState } from '../../model/hooks'
import { explain } from '../../model/problems'
import { leaveRoom } from '../../model/requests'
import type { RoomStore } from '../../model/roomStore'
import { Button } from '../../ui/Button'
import { Dialog } from '../../ui/Dialog'
import { FormError } from '../../ui/Field'
import styles from './LeaveRoom.module.css'

interface LeaveRoomProps {
  room: RoomStore
  onLeft: () => void
}

/** Leaves the room, after saying what that means. */
export function LeaveRoom({ room, onLeft }: LeaveRoomProps) {
  const [asking, setAsking] = useState(false)
  const { name, visibility } = useRoomState(room, (state) => state.room)
  const close = () => setAsking(false)
  return (
    <>
      <Button tone="quiet" onClick={() => setAsking(true)}>
        <LogOut size={17} aria-hidden />
        Leave room
      </Button>
      <Dialog
        title={`Leave ${name}?`}
        description={
          visibility === 'private'
            ? 'It is private: to come back you need a new invite.'
            : 'It is public: you can join it again at any time.'
        }
        open={asking}
        onClose={close}
      >
        <Ask room={room} onLeft={onLeft} onClose={close} />
      </Dialog>
    </>
  )
}

function Ask({ room, onLeft, onClose }: LeaveRoomProps & { onClose: () => void }) {
  const chat = useChat()
  const leave = useMutation({ mutationFn: () => leaveRoom(chat.api, room.id), onSuccess: onLeft })
  return (
    <>
      <FormError>{leave.error ? explain(leave.error) : undefined}</FormError>
      <div className={styles.choice}>
        <Button onClick={onClose}>Stay</Button>
        <Button tone="danger" busy={leave.isPending} onClick={() => leave.mutate()}>
          Leave
        </Button>
      </div>
    </>
  )
}
