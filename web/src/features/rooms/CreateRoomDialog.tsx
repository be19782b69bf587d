import { useMutation } from '@tanstack/react-query'
import { Globe, Lock } from 'lucide-react'
import { useState } from 'react'
import { useChat } from '../../model/hooks'
import { explain } from '../../model/problems'
import { createRoom } from '../../model/requests'
import { Button } from '../../ui/Button'
import { Dialog } from '../../ui/Dialog'
import { Field, FormError } from '../../ui/Field'
import styles from './CreateRoomDialog.module.css'

interface RoomDialogProps {
  open: boolean
  onClose: () => void
  onEnter: (roomId: string) => void
}

const KINDS = [
  { value: 'private', icon: Lock, label: 'Private', text: 'Only people with an invite' },
  { value: 'public', icon: Globe, label: 'Public', text: 'Anyone here can find and join it' },
] as const

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
        maxLength={80}
        placeholder="Team lunch"
        required
        autoFocus
      />
      <Field
        label="Topic"
        value={topic}
        onChange={(event) => setTopic(event.currentTarget.value)}
        maxLength={250}
        placeholder="What it is about (optional)"
      />
      <fieldset className={styles.kinds}>
        <legend>Who may join</legend>
        {KINDS.map(({ value, icon: Icon, label, text }) => (
          <label key={value} className={styles.kind}>
            <input
              type="radio"
              name="visibility"
              checked={visibility === value}
              onChange={() => setVisibility(value)}
            />
            <Icon size={18} aria-hidden />
            <span>
              <strong>{label}</strong>
              <small>{text}</small>
            </span>
          </label>
        ))}
      </fieldset>
      <FormError>{request.error ? explain(request.error) : undefined}</FormError>
      <Button type="submit" tone="primary" busy={request.isPending} disabled={name.trim() === ''}>
        Create room
      </Button>
    </form>
  )
}
