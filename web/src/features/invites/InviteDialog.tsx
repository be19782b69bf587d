import { useRoomState } from '../../model/hooks'
import type { RoomStore } from '../../model/roomStore'
import { Dialog } from '../../ui/Dialog'
import { later } from '../../ui/later'

interface InviteDialogProps {
  room: RoomStore
  open: boolean
  onClose: () => void
}

/** Loaded when it is first opened, not with the page. */
const Invites = later(() => import('./Invites'))

export function InviteDialog({ room, open, onClose }: InviteDialogProps) {
  const name = useRoomState(room, (state) => state.room.name)
  return (
    <Dialog title={`Invite to ${name}`} description="Whoever opens the link can join." open={open} onClose={onClose}>
      <Invites roomId={room.id} />
    </Dialog>
  )
}
