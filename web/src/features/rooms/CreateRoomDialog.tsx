import { useMutation } from '@tanstack/react-query'
import { useState } from 'react'
import { useChat } from '../../model/hooks'
import { refusalOf } from '../../model/problems'
import { createRoom } from '../../model/requests'
import { Button } from '../../ui/Button'
import { ChoiceCards } from '../../ui/ChoiceCards'
import { Dialog } from '../../ui/Dialog'
import { Field } from '../../ui/Field'
import { Foot } from '../../ui/Foot'
import { useUnsaved } from '../../ui/unsaved'
import styles from './CreateRoomDialog.module.css'
import { VISIBILITIES } from './visibilities'

interface RoomDialogProps {
  open: boolean
  onClose: () => void
  onEnter: (roomId: string) => void
}

export function CreateRoomDialog(props: RoomDialogProps) {
  return (
    <Dialog title="New room" open={props.open} onClose={props.onClose}>
      <CreateRoomForm {...props} />
    </Dialog>
  )
}

function CreateRoomForm({ onClose, onEnter }: RoomDialogProps) {
  const chat = useChat()
  const [name, setName] = useState('')
  const [topic, setTopic] = useState('')
  const [visibility, setVisibility] = useState<'public' | 'private'>('private')
  const request = useMutation({
    mutationFn: () => createRoom(chat.api, { name: name.trim(), topic: topic.trim() || undefined, visibility }),
    onSuccess: (room) => {
      chat.addRoom(room)
      onClose()
      onEnter(room.id)
    },
  })
  const refused = refusalOf(request.error)
  useUnsaved(name + topic === '' || request.isPending ? undefined : 'Discard what you typed?')
  return (
    <form
      className={styles.form}
      onSubmit={(event) => {
        event.preventDefault()
        request.mutate()
      }}
    >
      <Field
        label="Name"
        value={name}
        onChange={(event) => setName(event.currentTarget.value)}
        most={80}
        placeholder="Team lunch"
        required
        data-first
      />
      <Field
        label="Topic"
        value={topic}
        onChange={(event) => setTopic(event.currentTarget.value)}
        most={500}
        placeholder="What it is about (optional)"
      />
      <ChoiceCards legend="Who may join" name="visibility" options={VISIBILITIES} value={visibility} onChange={setVisibility} />
      <Foot refused={refused}>
        <Button type="submit" tone="primary" busy={request.isPending} until={refused.until} disabled={name.trim() === ''}>
          Create room
        </Button>
      </Foot>
    </form>
  )
}
