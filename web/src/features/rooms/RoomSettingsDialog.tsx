import type { RoomStore } from '../../model/roomStore'
import { Dialog } from '../../ui/Dialog'
import { later } from '../../ui/later'

interface RoomSettingsDialogProps {
  room: RoomStore
  open: boolean
  onClose: () => void
}

/** Loaded when it is first opened, not with the page. */
const RoomSettings = later(() => import('./RoomSettings'))

/** What a room is called and who may join it; and, for owners, its end. */
export function RoomSettingsDialog({ room, open, onClose }: RoomSettingsDialogProps) {
  return (
    <Dialog title="Room settings" open={open} onClose={onClose}>
      <RoomSettings room={room} />
    </Dialog>
  )
}
