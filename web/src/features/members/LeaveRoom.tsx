import { useMutation } from '@tanstack/react-query'
import { LogOut } from 'lucide-react'
import { useState } from 'react'
import { useChat, useRoomState } from '../../model/hooks'
import { refusalOf } from '../../model/problems'
import { deleteRoom, leaveRoom } from '../../model/requests'
import type { RoomStore } from '../../model/roomStore'
import { Button } from '../../ui/Button'
import { Dialog } from '../../ui/Dialog'
import { Foot } from '../../ui/Foot'

interface LeaveRoomProps {
  room: RoomStore
  onLeft: () => void
}

/** Leaves the room, after saying what that means. */
export function LeaveRoom({ room, onLeft }: LeaveRoomProps) {
  const [asking, setAsking] = useState(false)
  const { name, visibility, member_count, role } = useRoomState(room, (state) => state.room)
  const alone = role === 'owner' && member_count === 1
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
          alone
            ? 'You are alone here: delete the room instead. That can’t be undone.'
            : visibility === 'private'
              ? 'It is private: to come back you need a new invite.'
              : 'It is public: you can join it again at any time.'
        }
        open={asking}
        onClose={close}
      >
        <Ask room={room} alone={alone} onLeft={onLeft} onClose={close} />
      </Dialog>
    </>
  )
}

function Ask({ room, alone, onLeft, onClose }: LeaveRoomProps & { alone: boolean; onClose: () => void }) {
  const chat = useChat()
  const leave = useMutation({ mutationFn: () => (alone ? deleteRoom : leaveRoom)(chat.api, room.id), onSuccess: onLeft })
  const refused = refusalOf(leave.error)
  return (
    <Foot refused={refused}>
      <Button onClick={onClose}>Stay</Button>
      <Button tone="danger" busy={leave.isPending} until={refused.until} onClick={() => leave.mutate()}>
        {alone ? 'Delete room' : 'Leave'}
      </Button>
    </Foot>
  )
}
