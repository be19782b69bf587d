import { useMutation, useQuery } from '@tanstack/react-query'
import { type ReactNode, useEffect, useState } from 'react'
import { useChat, useMaybeChat, useRoom, useRooms, useSession } from '../../model/hooks'
import { explain, isProblem, refusalOf } from '../../model/problems'
import { type InvitePreview, acceptInvite, previewInvite } from '../../model/requests'
import { Avatar } from '../../ui/Avatar'
import { Button } from '../../ui/Button'
import { Doorway } from '../../ui/Doorway'
import { FormError } from '../../ui/Field'
import styles from './InvitePage.module.css'

interface InvitePageProps {
  code: string
  /** The ways in, for those who are not. */
  signIn: ReactNode
  onEnter: (roomId: string) => void
  onHome: () => void
}

/** Where an invite link leads: it shows the room before it asks who you are, and ends in that room. */
export function InvitePage({ code, signIn, onEnter, onHome }: InvitePageProps) {
  const { api } = useSession()
  const chat = useMaybeChat()
  // Whoever comes in here has said yes by that; whoever was in is asked.
  const [cameAsStranger] = useState(chat === undefined)
  const preview = useQuery({
    queryKey: ['invite', code],
    queryFn: () => previewInvite(api, code),
    staleTime: Infinity,
  })

  if (preview.isPending) {
    return (
      <Doorway title="Opening the invite">
        <p role="status" className={styles.wait}>
          One moment…
        </p>
      </Doorway>
    )
  }
  if (preview.isError) {
    const refusal = refusalOf(preview.error)
    const isOver = isProblem(preview.error, 'invite_invalid')
    return (
      <Doorway title={isOver ? 'This invite does not work' : 'The invite can’t be opened now'}>
        <div className={styles.invite}>
          {isOver ? (
            <>
              <p role="alert" className={styles.wait}>
                {explain(preview.error)}
              </p>
              <Button tone="primary" onClick={onHome}>
                {chat === undefined ? 'Log in without it' : 'Back to your rooms'}
              </Button>
            </>
          ) : (
            <>
              <FormError {...refusal} />
              <Button tone="primary" busy={preview.isFetching} until={refusal.until} onClick={() => void preview.refetch()}>
                Try again
              </Button>
            </>
          )}
        </div>
      </Doorway>
    )
  }
  return (
    <Doorway title="You are invited">
      <div className={styles.invite}>
        <RoomCard preview={preview.data} />
        {chat === undefined ? (
          signIn
        ) : (
          <Accept code={code} roomId={preview.data.room.id} atOnce={cameAsStranger} onEnter={onEnter} />
        )}
      </div>
    </Doorway>
  )
}

function RoomCard({ preview: { room, invited_by } }: { preview: InvitePreview }) {
  return (
    <section aria-label="The room" className={styles.card}>
      <Avatar id={room.id} name={room.name} size="l" />
      <p className={styles.by}>{invited_by.display_name} invites you to</p>
      <h2 className={styles.name}>{room.name}</h2>
      {room.topic !== '' && <p>{room.topic}</p>}
      <p className={styles.by}>
        {room.member_count} {room.member_count === 1 ? 'member' : 'members'}
      </p>
    </section>
  )
}

interface AcceptProps {
  code: string
  roomId: string
  atOnce: boolean
  onEnter: (roomId: string) => void
}

function Accept({ code, roomId, atOnce, onEnter }: AcceptProps) {
  const chat = useChat()
  const known = useRooms() !== undefined
  const isMember = useRoom(roomId) !== undefined
  const { mutate, error, isPending } = useMutation({
    mutationFn: () => acceptInvite(chat.api, code),
    onSuccess: (room) => chat.addRoom(room),
  })
  const refused = refusalOf(error)
  // An account made with the code is in the room already, and may have been the invite's last use.
  useEffect(() => {
    if (isMember) onEnter(roomId)
    else if (atOnce && known) mutate()
  }, [isMember, known, atOnce, roomId, onEnter, mutate])

  return (
    <>
      <FormError {...refused} />
      <Button tone="primary" busy={isPending || !known} until={refused.until} onClick={() => mutate()}>
        Join room
      </Button>
    </>
  )
}
