import { keepPreviousData, useMutation, useQuery } from '@tanstack/react-query'
import { useDeferredValue, useState } from 'react'
import { awaited } from '../../model/awaited'
import { useChat, useRooms } from '../../model/hooks'
import { refusalOf } from '../../model/problems'
import { joinRoom, publicRooms } from '../../model/requests'
import { Avatar } from '../../ui/Avatar'
import { Awaited } from '../../ui/Awaited'
import { Button } from '../../ui/Button'
import { Dialog } from '../../ui/Dialog'
import { Field, FormError } from '../../ui/Field'
import styles from './DiscoverDialog.module.css'

interface DiscoverDialogProps {
  open: boolean
  onClose: () => void
  onEnter: (roomId: string) => void
}

/** The public rooms, to be joined. */
export function DiscoverDialog(props: DiscoverDialogProps) {
  return (
    <Dialog
      title="Discover rooms"
      tall
      description="Public rooms that anyone here may join."
      open={props.open}
      onClose={props.onClose}
    >
      <PublicRooms {...props} />
    </Dialog>
  )
}

function PublicRooms({ onClose, onEnter }: DiscoverDialogProps) {
  const chat = useChat()
  const mine = new Set(useRooms()?.map(({ id }) => id))
  const [text, setText] = useState('')
  const query = useDeferredValue(text.trim())
  const found = useQuery({
    queryKey: ['public-rooms', query],
    queryFn: () => publicRooms(chat.api, query),
    placeholderData: keepPreviousData,
    staleTime: 0,
  })
  const enter = (roomId: string) => {
    onClose()
    onEnter(roomId)
  }
  const join = useMutation({
    mutationFn: (roomId: string) => joinRoom(chat.api, roomId),
    onSuccess: (room) => {
      chat.addRoom(room)
      enter(room.id)
    },
  })
  const refused = refusalOf(join.error)
  return (
    <>
      <Field
        label="Find by name"
        type="search"
        data-first={matchMedia('(pointer: fine)').matches}
        value={text}
        onChange={(event) => setText(event.currentTarget.value)}
      />
      <Awaited {...awaited(found, 'the public rooms')} />
      {found.data?.length === 0 && (
        <p className={styles.none}>{query === '' ? 'There is no public room yet.' : 'No public room by that name.'}</p>
      )}
      <ul aria-label="Public rooms" className={styles.list}>
        {found.data?.map((room) => (
          <li key={room.id} className={styles.room}>
            <Avatar id={room.id} name={room.name} />
            <span className={styles.text}>
              <strong>{room.name}</strong>
              <span>
                {room.member_count} {room.member_count === 1 ? 'member' : 'members'}
                {room.topic !== '' && ` · ${room.topic}`}
              </span>
            </span>
            {mine.has(room.id) ? (
              <Button aria-label={`Open ${room.name}`} onClick={() => enter(room.id)}>
                Open
              </Button>
            ) : (
              <Button
                tone="soft"
                aria-label={`Join ${room.name}`}
                busy={join.isPending && join.variables === room.id}
                until={refused.until}
                onClick={() => join.mutate(room.id)}
              >
                Join
              </Button>
            )}
            {join.variables === room.id && <FormError {...refused} />}
          </li>
        ))}
      </ul>
    </>
  )
}
