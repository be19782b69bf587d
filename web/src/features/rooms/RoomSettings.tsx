import { useMutation } from '@tanstack/react-query'
import { useState } from 'react'
import { useChat, useRoomState } from '../../model/hooks'
import { refusalOf } from '../../model/problems'
import { updateRoom } from '../../model/requests'
import type { RoomStore } from '../../model/roomStore'
import { Button } from '../../ui/Button'
import { ChoiceCards } from '../../ui/ChoiceCards'
import { Dialog } from '../../ui/Dialog'
import { Field } from '../../ui/Field'
import { Foot } from '../../ui/Foot'
import { useUnsaved } from '../../ui/unsaved'
import { DeleteRoom } from './DeleteRoom'
import styles from './RoomSettings.module.css'
import { type Touched, changesOf, touch } from './changes'
import { VISIBILITIES } from './visibilities'

const REFUSALS = { forbidden: 'Only owners and admins may change this room, and you are neither any more.' }

interface RoomSettingsProps {
  room: RoomStore
  open: boolean
  onClose: () => void
}

export default function RoomSettings({ room, open, onClose }: RoomSettingsProps) {
  return (
    <Dialog title="Room settings" tall open={open} onClose={onClose}>
      <Settings room={room} />
    </Dialog>
  )
}

function Settings({ room }: Pick<RoomSettingsProps, 'room'>) {
  const chat = useChat()
  const now = useRoomState(room, (state) => state.room)
  const [touched, setTouched] = useState<Touched>({})
  const wanted = { ...now, ...touched }
  const changes = changesOf(now, touched)
  const save = useMutation({
    mutationFn: () => updateRoom(chat.api, room.id, changes),
    onSuccess: (told) => {
      room.setProfile(told)
      setTouched((still) => changesOf(told, still))
    },
  })
  const refused = refusalOf(save.error, REFUSALS)
  const set = (change: Touched) => {
    setTouched(touch(now, touched, change))
    if (refused.until === undefined) save.reset()
  }
  useUnsaved(Object.keys(changes).length === 0 || save.isPending ? undefined : 'Discard what you changed?')
  return (
    <div className={styles.settings}>
      <form
        className={styles.form}
        onSubmit={(event) => {
          event.preventDefault()
          save.mutate()
        }}
      >
        <Field
          label="Name"
          value={wanted.name}
          onChange={(event) => set({ name: event.currentTarget.value })}
          most={80}
          required
        />
        <Field
          label="Topic"
          value={wanted.topic}
          onChange={(event) => set({ topic: event.currentTarget.value })}
          most={500}
          placeholder="What it is about (optional)"
        />
        <ChoiceCards
          legend="Who may join"
          name="room-visibility"
          options={VISIBILITIES}
          value={wanted.visibility}
          onChange={(visibility) => set({ visibility })}
        />
        <Foot refused={refused} done={save.isSuccess ? 'Saved. Everybody in the room sees it.' : undefined}>
          <Button
            type="submit"
            tone="primary"
            busy={save.isPending}
            until={refused.until}
            disabled={wanted.name.trim() === '' || Object.keys(changes).length === 0}
          >
            Save
          </Button>
        </Foot>
      </form>
      {now.role === 'owner' && <DeleteRoom room={room} />}
    </div>
  )
}
