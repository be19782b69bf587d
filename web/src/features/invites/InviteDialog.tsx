import { useMutation } from '@tanstack/react-query'
import { Check, Copy } from 'lucide-react'
import { useChat, useRoomState } from '../../model/hooks'
import { explain } from '../../model/problems'
import { createInvite } from '../../model/requests'
import type { RoomStore } from '../../model/roomStore'
import { Button } from '../../ui/Button'
import { Dialog } from '../../ui/Dialog'
import { Field, FormError } from '../../ui/Field'
import { useClipboard } from '../../ui/useClipboard'
import styles from './InviteDialog.module.css'

interface InviteDialogProps {
  room: RoomStore
  open: boolean
  onClose: () => void
}

export function InviteDialog({ room, open, onClose }: InviteDialogProps) {
  const name = useRoomState(room, (state) => state.room.name)
  return (
    <Dialog
      title={`Invite to ${name}`}
      description="Whoever opens the link can join, within 7 days."
      open={open}
      onClose={onClose}
    >
      <InviteLink roomId={room.id} />
    </Dialog>
  )
}

function InviteLink({ roomId }: { roomId: string }) {
  const chat = useChat()
  const create = useMutation({ mutationFn: () => createInvite(chat.api, roomId) })
  const { copied, copy } = useClipboard()
  const link = create.data === undefined ? undefined : new URL(create.data.url, location.origin).href
  if (link === undefined) {
    return (
      <>
        <FormError>{create.error ? explain(create.error) : undefined}</FormError>
        <Button tone="primary" busy={create.isPending} onClick={() => create.mutate()}>
          Create link
        </Button>
      </>
    )
  }
  return (
    <div className={styles.link}>
      <Field label="Invite link" readOnly value={link} onFocus={(event) => event.currentTarget.select()} />
      <Button tone="primary" onClick={() => void copy(link)}>
        {copied ? <Check size={17} aria-hidden /> : <Copy size={17} aria-hidden />}
        {copied ? 'Copied' : 'Copy'}
      </Button>
    </div>
  )
}
