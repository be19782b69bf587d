import { Suspense, lazy } from 'react'
import type { RoomStore } from '../../model/roomStore'
import { Dialog } from '../../ui/Dialog'

interface RoomSettingsDialogProps {
  room: RoomStore
  open: boolean
  onClose: () => void
}

/** Loaded when it is first opened, not with the page. */
const RoomSettings = lazy(() => import('./RoomSettings'))

/** What a room is called and who may join it; and, for owners, its end. */
export function RoomSettingsDialog({ room, open, onClose }: RoomSettingsDialogProps) {
  return (
    <Dialog title="Room settings" open={open} onClose={onClose}>
      <Suspense>
        <RoomSettings room={room} />
      </Suspense>
    </Dialog>
  )
}
